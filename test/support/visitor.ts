/** A visitor of the public pages, and the mails that follow: real connections, real database, moved clock. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { onTestFinished } from 'vitest';
import { answerSignups } from '../../src/newsletter/answer-signups.ts';
import type { MailResolver } from '../../src/newsletter/mail-domain.ts';
import { publicServer } from '../../src/web/public.ts';
import type { TestNewsletter } from './newsletter.ts';

export interface Visitor {
  base: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Posts a form as a browser does; anything else by `headers`. */
  post(
    path: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Opens the form, waits ten seconds and sends it. */
  signUp(address: string, headers?: Record<string, string>): Promise<Response>;
  /** Does what `serve` does in the background. */
  answer(): Promise<void>;
  /** The mails in the outbox, in the order in which they were written. */
  mails(): Promise<Mail[]>;
}

export interface Mail {
  to: string;
  subject: string;
  text: string;
  raw: string;
  /** Path of the first link to the public pages whose path begins so; empty where there is none. */
  link(prefix: string): string;
}

export async function openVisitor(
  newsletter: TestNewsletter,
  resolver?: MailResolver,
): Promise<Visitor> {
  const app = await publicServer(newsletter);
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const answering = answerSignups(newsletter, resolver);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${base}${path}`, { headers: { 'Accept-Language': 'en', ...headers } });
  const post = (
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams(fields).toString(),
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Accept-Language': 'en',
        ...headers,
      },
    });
  return {
    base,
    get,
    post,
    async signUp(address, headers) {
      const issued = issuedIn(await (await get('/subscribe', headers)).text());
      newsletter.advance(10_000);
      return post('/subscribe', { address, issued, website: '' }, headers);
    },
    answer: () => answering.once(),
    mails: () => mailsIn(join(newsletter.stateDir, 'outbox', 'notices')),
  };
}

/** When the form says that it was shown. */
export function issuedIn(html: string): string {
  return /name="issued" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

async function mailsIn(dir: string): Promise<Mail[]> {
  if (!existsSync(dir)) return [];
  const number = (file: string) => Number(/^n(\d+)/.exec(file)?.[1]);
  const files = readdirSync(dir).sort((a, b) => number(a) - number(b));
  return Promise.all(
    files.map(async (file) => {
      const raw = readFileSync(join(dir, file), 'utf8');
      const mail = await simpleParser(raw);
      const text = mail.text ?? '';
      const to = [mail.to ?? []].flat()[0]?.text ?? '';
      const link = (prefix: string) =>
        new RegExp(`https?://[^/\\s]+(${prefix}[^\\s]+)`).exec(text)?.[1] ?? '';
      return { to, subject: mail.subject ?? '', text, raw, link };
    }),
  );
}
