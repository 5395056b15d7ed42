// `npm test`: set-up, then lint, types and every test. Arguments go to vitest: npm test -- test/issue
import { join } from 'node:path';
import { ready, root, run } from '../src/runtime.js';

const node = await ready();
const tool = (path) => join(root, 'node_modules', path);
const steps = [
  [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  [tool('typescript/bin/tsc')],
  [tool('typescript/bin/tsc'), '--project', 'src/web/assets'],
  [tool('vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)],
];

process.chdir(root);
for (const step of steps) {
  const code = await run(node, step);
  if (code !== 0) process.exit(code);
}
