// Runs a TypeScript program of this repository on a Node that can: node test/node.js <program> [arguments]
import { ready, root, run } from '../src/runtime.js';

const node = await ready();
process.chdir(root);
process.exitCode = await run(node, process.argv.slice(2));
