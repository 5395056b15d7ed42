/** What follows a sign-up once the visitor has the answer: decide, write the mail, send it. */
import { sweepBuckets } from '../audience/buckets.ts';
import {
  type Claimed,
  claimNotices,
  deferNotice,
  dropNotice,
  isNoticeDue,
} from '../audience/notices.ts';
import { decideSignup, nextSignups, type Signup } from '../audience/signup.ts';
import { suppress } from '../audience/suppression.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { Transport } from '../delivery/transport.ts';
import { addrSpec } from '../message/address.ts';
import { renderNotice } from '../render/notice.ts';
import { loadTemplates } from '../render/templates.ts';
import { inTransaction } from '../store/transaction.ts';
import { noticeData } from './links.ts';
import { type MailResolver, rememberingDomains, systemResolver } from './mail-domain.ts';
import type { Newsletter } from './newsletter.ts';
import { noticeMail, noticeSender } from './notice-mail.ts';
import { sweepAnswers } from './once.ts';
import { transportFor } from './worker.ts';

/** Requests and mails that are taken on at a time. */
const BATCH = 20;

/** How often buckets and answers that have had their time are removed, ms. */
const SWEEP = 3_600_000;

/** An alert that too much mail is asked for is not repeated for so long, ms (W-09). */
const ALERT = 3_600_000;

export interface Answering {
  /** Does what is due now; resolves when it is done. */
  once(): Promise<void>;
}

/** @param resolver asked whether a domain takes mail, where mails really go out */
export function answerSignups(newsletter: Newsletter, resolver = systemResolver()): Answering {
  const domainTakesMail = domainCheck(newsletter, resolver);
  let swept = 0;
  let alerted = Number.NEGATIVE_INFINITY;
  const alert = () => {
    if (newsletter.clock() - alerted < ALERT) return;
    alerted = newsletter.clock();
    newsletter.log.warn(
      {},
      'more sign-ups than site.subscribe.limits allow; the others get no mail',
    );
  };
  return {
    async once() {
      await decideAll(newsletter, domainTakesMail, alert);
      await sendAll(newsletter);
      const now = newsletter.clock();
      if (now - swept < SWEEP) return;
      swept = now;
      await sweepBuckets(newsletter.db, newsletter.settings.slug, now);
      await sweepAnswers(newsletter);
    },
  };
}

/** Into an outbox any address may be mailed, also one of a domain that exists in examples only. */
function domainCheck({ settings, clock }: Newsletter, resolver: MailResolver) {
  const asksDns = settings.delivery.channel === 'smtp';
  const remembered = rememberingDomains(resolver, clock);
  const blocked = new Set(settings.site.subscribe.blockedDomains);
  return async (address: string): Promise<boolean> => {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    return !blocked.has(domain) && (!asksDns || (await remembered(domain)));
  };
}

async function decideAll(
  { db, settings, clock, random }: Newsletter,
  domainTakesMail: (address: string) => Promise<boolean>,
  alert: () => void,
): Promise<void> {
  const { limits } = settings.site.subscribe;
  for (;;) {
    const signups = await nextSignups(db, settings.slug, BATCH);
    if (signups.length === 0) return;
    const decide = async (signup: Signup) => ({
      signup,
      takesMail: await domainTakesMail(signup.address),
    });
    const ready = await Promise.all(signups.map(decide));
    const now = { now: clock(), random };
    await inTransaction(db, async (trx) => {
      for (const { signup, takesMail } of ready) {
        const decided = await decideSignup(trx, signup, { limits, takesMail }, now);
        if (decided === 'limited') alert();
      }
    });
  }
}

async function sendAll(newsletter: Newsletter): Promise<void> {
  const { db, settings, clock, random } = newsletter;
  if (!(await isNoticeDue(db, settings.slug, clock()))) return;
  const claim = () => claimNotices(db, settings.slug, BATCH, { now: clock(), random });
  const transport = transportFor(newsletter, settings.delivery.channel, 'notices');
  try {
    for (let claimed = await claim(); claimed.length > 0; claimed = await claim()) {
      for (const notice of claimed) await send(newsletter, transport, notice);
    }
  } finally {
    await transport.close();
  }
}

async function send(newsletter: Newsletter, transport: Transport, notice: Claimed): Promise<void> {
  const { db, clock } = newsletter;
  const from = noticeSender(newsletter);
  const id = `n${notice.id}-${notice.attempts + 1}`;
  const message = await noticeMessage(newsletter, notice);
  const outcome = await transport.deliver({ id, from, to: addrSpec(notice.address), message });
  if (outcome.state === 'deferred' || outcome.relayFault) return deferNotice(db, notice, clock());
  await dropNotice(db, notice.id);
  await follow(newsletter, notice, outcome);
}

/** The bytes of one mail. */
export async function noticeMessage(newsletter: Newsletter, notice: Claimed): Promise<Buffer[]> {
  const { settings, dir } = newsletter;
  const templates = loadTemplates(dir, settings.template);
  const data = await noticeData(newsletter, notice);
  const mail = renderNotice(templates, notice.kind, data, notice.language || settings.language);
  const id = `${notice.id}-${notice.attempts + 1}`;
  return noticeMail(newsletter, mail, { id, address: notice.address });
}

/** An address that does not exist is not asked again. */
async function follow(
  { db, settings, clock, log }: Newsletter,
  { address, kind }: Claimed,
  { consequence, state, reason }: Outcome,
): Promise<void> {
  if (state !== 'accepted') log.warn({ kind, reason }, 'a mail to one person was not taken');
  if (consequence?.kind !== 'suppress') return;
  const suppression = { newsletter: settings.slug, address, reason: 'hard-bounce' as const };
  await suppress(db, suppression, clock());
}
