/** Preloaded into a worker: the command is the real one, with other numbers in these lines. See `times.ts`. */
import { registerHooks } from 'node:module';
import { BEAT, LONGEST_MAIL, LOOK, SILENT } from './times.ts';

type Line = [is: RegExp, becomes: string];

const LINES: Record<string, Line[]> = {
  '/src/store/engine.ts': [
    [/^const BEAT = .*$/m, `const BEAT = ${BEAT};`],
    [/^const LOOK = .*$/m, `const LOOK = ${LOOK};`],
  ],
  '/src/store/pool.ts': [[/^const SILENT = .*$/m, `const SILENT = ${SILENT};`]],
  '/src/delivery/chunks.ts': [
    [/^export const LONGEST_MAIL = .*$/m, `export const LONGEST_MAIL = ${LONGEST_MAIL};`],
  ],
};

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const lines = Object.entries(LINES).find(([file]) => url.endsWith(file))?.[1];
    if (!lines || !loaded.source) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: lines.reduce(withLine, source) };
  },
});

function withLine(source: string, [is, becomes]: Line): string {
  if (!is.test(source)) throw new Error(`There is no line like ${is} any more`);
  return source.replace(is, becomes);
}
