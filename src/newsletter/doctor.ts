/** Everything that has to be right before mail goes out, looked at without sending any. */

import { Resolver } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DnsResolver } from '../check/dns/ask.ts';
import { type Examination, examining } from '../check/examination.ts';
import { BroadsheetError } from '../errors.ts';
import { examineDatabase } from './examine-database.ts';
import { examineDns } from './examine-dns.ts';
import { examineRelay } from './examine-relay.ts';
import { examineSite } from './examine-site.ts';
import type { Newsletter } from './newsletter.ts';
import { requireSendable } from './sendable.ts';

/** A newsletter without its database, which may be what is ill. */
export type Patient = Pick<
  Newsletter,
  'dir' | 'stateDir' | 'settings' | 'secrets' | 'clock' | 'random'
>;

export interface Instruments {
  resolver?: DnsResolver;
  /** Further trusted certificates, PEM; for tests. */
  ca?: string;
}

/** How long a name server may take, ms. */
const PATIENCE = 5_000;

const FILES = ['newsletter.yaml', 'sections.yaml', 'glossary.yaml'];

/**
 * Looks at settings, database, relay, DNS and site (D-34). Changes nothing, but opens the database as every command
 * does. As long as the channel is the outbox, what only mail by SMTP needs does not fail: it warns.
 * @param onProgress examinations done, of how many parts
 */
export async function examine(
  patient: Patient,
  { resolver = new Resolver({ timeout: PATIENCE, tries: 1 }), ca }: Instruments = {},
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Examination[]> {
  const { settings, secrets, clock } = patient;
  const isSmtp = settings.delivery.channel === 'smtp';
  const { smtpUrl: url, smtpOauth: oauth } = secrets;
  const relay = isSmtp && url ? examineRelay({ url, oauth, ...(ca ? { ca } : {}) }) : [];
  const parts = [
    [examineFiles(patient), examineChannel(patient)],
    examineDatabase(patient),
    relay,
    examineDns(patient, resolver).then(isSmtp ? asTheyAre : asWarnings),
    examineSite(settings.site.url, { resolver, ca, now: clock() }).then(
      isSmtp ? asTheyAre : asWarnings,
    ),
  ];
  let done = 0;
  const all = parts.map(async (part) => {
    const found = await part;
    done += 1;
    onProgress(done, parts.length);
    return found;
  });
  return (await Promise.all(all)).flat();
}

/**
 * Found where the settings or secrets cannot be read, so that nothing else can be looked at.
 * @throws the error itself where it is about something else, such as a directory that is no newsletter
 */
export function unreadable(error: unknown): Examination[] {
  const isKnown =
    error instanceof BroadsheetError && /^(settings|secret)-invalid$/.test(error.code);
  if (!isKnown) throw error;
  return error.problems.map(({ message, file, line, column, hint }) => {
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return examining('settings', `Settings ${place}`.trim())('fail', message, hint);
  });
}

function examineFiles({ dir }: Patient): Examination {
  const files = FILES.map((file) => `config/${file}`).filter((file) => existsSync(join(dir, file)));
  return examining('settings', 'Settings')('ok', `${files.join(', ')} are valid`);
}

function examineChannel(patient: Patient): Examination {
  const says = examining('channel', 'Channel');
  const { settings } = patient;
  if (settings.delivery.channel === 'outbox')
    return says('ok', 'outbox: nothing is mailed. What only SMTP needs is a warning until then');
  try {
    requireSendable(patient);
    return says('ok', 'smtp: all that a campaign asks for is set');
  } catch (error) {
    if (!(error instanceof BroadsheetError)) throw error;
    const [problem] = error.problems;
    return says('fail', problem?.message ?? error.message, problem?.hint);
  }
}

function asTheyAre(found: Examination[]): Examination[] {
  return found;
}

function asWarnings(found: Examination[]): Examination[] {
  return found.map((each) => (each.state === 'fail' ? { ...each, state: 'warn' } : each));
}
