/** Sorts more lines than memory holds: sorted runs in temporary files, merged while they are read. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Lines of one run, and of what is handed out at once. */
const RUN = 50_000;
const BATCH = 5_000;

/** Bytes that are read of each run at once. */
const CHUNK = 65_536;

/** Sorts lines by their UTF-16 code units. None may hold a line break. */
export class SortedLines {
  #lines: string[] = [];
  #runs: string[] = [];
  #dir: string | undefined;

  async add(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#lines.push(line);
    if (this.#lines.length >= RUN) await this.#write();
  }

  /** All lines in their order, once. */
  async *batches(): AsyncGenerator<string[]> {
    if (this.#runs.length > 0 && this.#lines.length > 0) await this.#write();
    const lines = this.#lines.sort();
    this.#lines = [];
    for (let from = 0; from < lines.length; from += BATCH) yield lines.slice(from, from + BATCH);
    if (this.#runs.length > 0) yield* merged(this.#runs.map(linesOf));
  }

  /** Removes the files, which hold addresses. */
  async close(): Promise<void> {
    if (this.#dir) await rm(this.#dir, { recursive: true, force: true });
  }

  async #write(): Promise<void> {
    // Made readable for this user alone.
    this.#dir ??= await mkdtemp(join(tmpdir(), 'broadsheet-import-'));
    const path = join(this.#dir, String(this.#runs.length));
    this.#runs.push(path);
    await writeFile(path, pieces(this.#lines.sort()));
    this.#lines = [];
  }
}

function* pieces(lines: string[]): Generator<string> {
  for (let from = 0; from < lines.length; from += 1_000)
    yield `${lines.slice(from, from + 1_000).join('\n')}\n`;
}

/** The lines of a file, a chunk's worth at a time. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
}

interface Run {
  source: AsyncGenerator<string[]>;
  lines: string[];
  at: number;
}

/** Several sorted sources as one. They are few: the smallest head is looked for among all. */
async function* merged(sources: AsyncGenerator<string[]>[]): AsyncGenerator<string[]> {
  let runs: Run[] = sources.map((source) => ({ source, lines: [], at: 0 }));
  let batch: string[] = [];
  for (;;) {
    for (const run of runs) {
      if (run.at < run.lines.length) continue;
      run.lines = (await run.source.next()).value ?? [];
      run.at = 0;
    }
    runs = runs.filter(({ lines }) => lines.length > 0);
    if (runs.length === 0) break;
    // Without a pause until one of them runs dry.
    for (let isDry = false; !isDry; ) {
      const least = smallest(runs);
      batch.push(least.lines[least.at] as string);
      least.at += 1;
      isDry = least.at === least.lines.length;
    }
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function smallest(runs: Run[]): Run {
  let least = runs[0] as Run;
  let line = least.lines[least.at] as string;
  for (const run of runs) {
    const other = run.lines[run.at] as string;
    if (other < line) {
      least = run;
      line = other;
    }
  }
  return least;
}
