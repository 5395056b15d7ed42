/** `npm run eval`: how good the editorial engine is, on texts whose truth is known. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSettings } from '../src/config/load.ts';
import type { Settings } from '../src/config/settings.ts';
import { changelog, juya, ruanyf } from './corpora.ts';
import type { GoldDocument } from './document.ts';
import { evaluate, evaluateBaselines, type Scores } from './evaluate.ts';
import { goldDocument, goldDocuments } from './gold.ts';
import { drawGaps } from './plot.ts';

const HELP = `npm run eval -- [--gold DIR]… [--juya DIR] [--ruanyf DIR] [--changelog DIR] [--only NAME] [--json] [--plot FILE.svg]

The seed is always measured. --gold adds every text with a *.gold.json beside it; the others are checkouts of
imjuya/juya-ai-daily, ruanyf/weekly and thechangelog/transcripts. (K): told the true number of segments.
--plot draws the gaps of the seed.`;

const { values } = parseArgs({
  options: {
    gold: { type: 'string', multiple: true, default: [] },
    juya: { type: 'string' },
    ruanyf: { type: 'string' },
    changelog: { type: 'string' },
    only: { type: 'string' },
    plot: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const root = resolve(import.meta.dirname, '..');
const settings = loadSettings(root);
const long: Settings = { ...settings, show: { ...settings.show, granularity: 'long' } };

interface Set {
  name: string;
  documents: GoldDocument[];
  settings: Settings;
}

function sets(): Set[] {
  const seed = goldDocument(join(root, 'test/editorial/fixtures/2023-09-w3.gold.json'), () =>
    join(root, 'issues/2023-09-w3/transcript.txt'),
  );
  const all: Set[] = [{ name: 'seed', documents: [seed], settings }];
  for (const dir of values.gold) all.push({ name: dir, documents: goldDocuments(dir), settings });
  if (values.juya) all.push({ name: 'juya', documents: juya(values.juya), settings });
  if (values.ruanyf) all.push({ name: 'ruanyf', documents: ruanyf(values.ruanyf), settings });
  if (values.changelog) {
    const documents = changelog(values.changelog);
    all.push({ name: 'changelog', documents, settings });
    all.push({ name: 'changelog, long', documents, settings: long });
  }
  return values.only ? all.filter(({ name }) => name.startsWith(values.only ?? '')) : all;
}

const COLUMNS: (keyof Scores)[] = [
  'documents',
  'f1',
  'near',
  'pk',
  'windowDiff',
  'repairPrecision',
  'repairRecall',
  'helped',
  'section',
  'headline',
  'auc',
];
const HEADS = [
  'set',
  'method',
  'texts',
  'F1',
  'F1±1',
  'Pk',
  'WD',
  'repair P',
  'R',
  '+sugg.',
  'section',
  'ROUGE-1',
  'AUC',
];

function row(set: string, method: string, scores: Scores): string[] {
  const cells = COLUMNS.map((column) => {
    const value = scores[column];
    if (value === undefined) return '';
    return column === 'documents' ? String(value) : value.toFixed(2).replace(/^0/, '');
  });
  return [set, method, ...cells];
}

function table(rows: string[][]): string {
  const widths = HEADS.map((_, i) =>
    Math.max(...[HEADS, ...rows].map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(HEADS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join(
    '\n',
  );
}

if (values.help) console.log(HELP);
else if (values.plot) {
  const [seed] = sets();
  const [document] = seed?.documents ?? [];
  if (document) writeFileSync(values.plot, drawGaps(document, settings));
} else {
  const results = sets().map(({ name, documents, settings }) => ({
    name,
    methods: {
      ...(name.endsWith(', long') ? {} : evaluateBaselines(documents)),
      Broadsheet: evaluate(documents, settings),
    } as Record<string, Scores>,
  }));
  if (values.json) console.log(JSON.stringify(results, null, 2));
  else
    console.log(
      table(
        results.flatMap(({ name, methods }) =>
          Object.entries(methods).map(([method, scores]) => row(name, method, scores)),
        ),
      ),
    );
}
