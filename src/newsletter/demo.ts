/** The demonstration: the bundled issue from its transcript to an outbox that mails nobody. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { addSubscriber, countSubscribers } from '../audience/subscribers.ts';
import { inputError } from '../errors.ts';
import { type Drafted, draft } from './draft.ts';
import { issueDir, issueIds } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { type Preview, preview } from './preview.ts';
import { type SendResult, type SendTalk, send } from './send.ts';

/** A few readers with addresses that belong to nobody (RFC 2606). */
const SAMPLE = [
  ['林晓', 'lin.xiao@example.com'],
  ['王小明', 'wang.xiaoming@example.com'],
  ['Anna Lindqvist', 'anna@example.net'],
  ['Jürgen Groß', 'juergen@example.org'],
  ['陈思远', 'chen@example.cn'],
  ['O’Brien, Maeve', 'maeve@example.ie'],
  ['', 'no-name@example.com'],
  ['김민준', 'minjun@example.kr'],
] as const;

export interface DemoSteps {
  onDraft(drafted: Drafted): void;
  onPreview(preview: Preview): void;
  onReaders(count: number): void;
}

export interface DemoResult {
  send: SendResult;
  /** Where the mails lie, absolute. */
  outbox: string;
}

/** Drafts, renders and sends. A second time it says that the issue has been sent, and sends nothing. */
export async function demo(
  newsletter: Newsletter,
  steps: DemoSteps,
  talk: Omit<SendTalk, 'confirm'>,
): Promise<DemoResult> {
  const [issue] = issueIds(newsletter);
  if (!issue) throw inputError('demo-without-issue', 'There is no issue in issues/ to show');
  const source = join(issueDir(newsletter, issue), 'transcript.txt');
  if (existsSync(source)) {
    const into = join(newsletter.stateDir, 'draft', issue);
    steps.onDraft(await draft(newsletter, { sources: [source], issue, into, force: true }));
  }
  steps.onPreview(await preview(newsletter, issue));
  steps.onReaders(await sampleReaders(newsletter));
  const result = await send(newsletter, { issue }, { ...talk, confirm: async () => true });
  return {
    send: result,
    outbox: join(newsletter.stateDir, 'outbox', `campaign-${result.campaign}`),
  };
}

/** Shown to people: a path from where they are. */
export function nearby(path: string): string {
  return relative(process.cwd(), path) || path;
}

async function sampleReaders({ db, settings, clock, random }: Newsletter): Promise<number> {
  for (const [name, address] of SAMPLE) {
    const reader = { newsletter: settings.slug, address, name: name || null, source: 'demo' };
    await addSubscriber(db, reader, { now: clock(), random });
  }
  return (await countSubscribers(db, settings.slug)).active ?? 0;
}
