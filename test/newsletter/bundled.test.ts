/** The issue that ships with Broadsheet: from the committed file to the mails that lie in the outbox. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMessage } from '../../src/message/read.ts';
import { checkIssue } from '../../src/newsletter/check.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { type DemoSteps, demo } from '../../src/newsletter/demo.ts';
import { newsletterDirectory, openTestNewsletter } from '../support/newsletter.ts';

const ISSUE = '2023-09-w3';
const root = join(import.meta.dirname, '../..');

const STORIES = [
  'NVIDIA',
  'TensorRT-LLM',
  'Cohere',
  '张量并行',
  '动态批处理',
  'phi-1.5',
  '腾讯',
  'iDrug',
  '金融大模型',
  'Meta',
  'OPRO',
  'Spellburst',
  'NExT-GPT',
  'RAIN',
  'RETFound',
  'Dialpad GPT',
  'FurChat',
  'Wayve',
  'LINGO-1',
  'Falcon 180B',
  '1800 亿',
  'LastMile AI',
  '费水',
];

/** What speech recognition made of the names. */
const MISHEARD = [
  'Cohear',
  'FirstChat',
  'Wavy',
  'Lingo One',
  'Refound',
  'NextGPT',
  '装量并行',
  '动态P处理',
  '1801',
  'Last Mile',
  '巨深',
];

function directory(): string {
  const dir = newsletterDirectory();
  cpSync(join(root, 'issues', ISSUE), join(dir, 'issues', ISSUE), { recursive: true });
  return dir;
}

test('the bundled issue is approved as it stands, and has no findings', async () => {
  const newsletter = await openTestNewsletter({ dir: directory() });
  expect((await compose(newsletter, ISSUE, 0)).approved).toBe(true);
  expect(await checkIssue(newsletter, ISSUE)).toEqual({ findings: [], skipped: [] });
});

test('the demonstration goes from transcript to outbox, tells every story with right names, and mails once', async () => {
  const newsletter = await openTestNewsletter({ dir: directory(), now: Date.now() });
  const seen = { items: 0, readers: 0 };
  const steps: DemoSteps = {
    onDraft: ({ draft }) => {
      seen.items = draft.items.length;
    },
    onPreview: () => {},
    onReaders: (count) => {
      seen.readers = count;
    },
  };
  const signal = new AbortController().signal;
  const talk = { onPlan: () => {}, onProgress: () => {}, signal };

  const { outbox, send } = await demo(newsletter, steps, talk);
  expect(seen.items).toBe(16);
  expect(send.progress.counts.accepted).toBe(seen.readers);
  const files = readdirSync(outbox);
  expect(files).toHaveLength(seen.readers);

  const links = new Set<string>();
  for (const file of files) {
    const { html, text } = await readMessage(readFileSync(join(outbox, file)));
    for (const words of [plain(html), text]) {
      expect(STORIES.filter((name) => !words.includes(name))).toEqual([]);
      expect(MISHEARD.filter((name) => words.includes(name))).toEqual([]);
    }
    links.add(/\/u\/\S+/.exec(text)?.[0] ?? '');
  }
  expect(links.size).toBe(files.length);

  const again = await demo(newsletter, steps, talk);
  expect(again.send.began).toBe('already');
  expect(readdirSync(outbox)).toEqual(files);
});

/** Words of an HTML part, as a reader sees them. */
function plain(html: string): string {
  return html.replace(/<[^>]*>/g, '').replace(/&nbsp;|\u00a0/g, ' ');
}
