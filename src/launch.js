#!/usr/bin/env node
// The bin. Plain old JavaScript: it must say what is needed on any Node instead of crashing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ready, root, run } from './runtime.js';

const node = ready();
if (node === process.execPath) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  // The heap grows in small steps: 10 MB of transcript are drafted in 440 MB instead of 530, 5 % slower.
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--heap-growing-percent=10');
  // In the published package main is compiled: Node strips no types under node_modules.
  const compiled = join(root, 'dist', 'main.js');
  const fromPackage = !existsSync(join(root, 'src', 'main.ts'));
  const { main } = await import(fromPackage ? compiled : './main.ts');
  await main(process.argv.slice(2));
} else {
  process.exitCode = await run(node, [...process.execArgv, ...process.argv.slice(1)]);
}
