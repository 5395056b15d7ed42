#!/usr/bin/env node
// The bin. Plain old JavaScript: it must say what is needed on any Node instead of crashing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ready, root, run } from './runtime.js';

const node = await ready();
if (node === process.execPath) {
  const { constants, enableCompileCache } = await import('node:module');
  const { status } = enableCompileCache(cacheDirectory());
  if (status === constants.compileCacheStatus.FAILED) enableCompileCache();
  // In the published package main is compiled: Node strips no types under node_modules.
  const compiled = join(root, 'dist', 'main.js');
  const fromPackage = !existsSync(join(root, 'src', 'main.ts'));
  const { main } = await import(fromPackage ? compiled : './main.ts');
  await main(process.argv.slice(2));
} else {
  process.exitCode = await run(node, [...process.execArgv, ...process.argv.slice(1)]);
}

/**
 * Where this account keeps what can be made anew: the package may not be writable, and a directory for temporary
 * files belongs to whoever came first, and goes with a restart. Undefined (for temporary files) without a home.
 */
function cacheDirectory() {
  const { HOME, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const usual = process.platform === 'darwin' ? join('Library', 'Caches') : '.cache';
  const caches = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && join(HOME, usual));
  return caches && join(caches, 'broadsheet');
}
