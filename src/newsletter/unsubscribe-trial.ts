/**
 * The unsubscribe link tried as a mailbox provider tries it: on the newsletter's own pages, served in
 * this process, with a list of one reader who does not exist. The real list is not touched.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addSubscriber, findSubscriber } from '../audience/subscribers.ts';
import { unsubscribeToken } from '../audience/tokens.ts';
import { BroadsheetError } from '../errors.ts';
import { openStore } from '../store/open.ts';
import type { Newsletter } from './newsletter.ts';

/** Opens the public pages of a newsletter; main and the studio have one. */
export type OpenPages = (newsletter: Newsletter) => Promise<{
  listen(host: string, port: number): Promise<string>;
  close(): Promise<void>;
}>;

export interface Trial {
  /** What did not work, in words. */
  problems: string[];
  /** Why it could not be tried. */
  skipped?: string;
}

/** ms. */
const PATIENCE = 5_000;
const READER = 'reader@example.net';

/** Both ways in which providers post (D-06). */
const URL_ENCODED = {
  type: 'application/x-www-form-urlencoded',
  text: 'List-Unsubscribe=One-Click',
};
const MULTIPART = {
  type: 'multipart/form-data; boundary=x',
  text: '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
};

/** Tries the link (D-05 to D-09). Never throws. */
export async function tryUnsubscribe(newsletter: Newsletter, openPages: OpenPages): Promise<Trial> {
  const stateDir = mkdtempSync(join(tmpdir(), 'broadsheet-trial-'));
  try {
    const store = await openStore({ url: `sqlite:${join(stateDir, 'trial.db')}`, stateDir });
    try {
      return await tryOn({ ...newsletter, stateDir, db: store.db }, openPages);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof BroadsheetError && error.code.startsWith('template-'))
      return { problems: [error.message] };
    return { problems: [], skipped: (error as Error).message };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function tryOn(trial: Newsletter, openPages: OpenPages): Promise<Trial> {
  const { db, settings, keys, clock, random } = trial;
  const reader = { newsletter: settings.slug, address: READER, name: null, source: 'cli' };
  await addSubscriber(db, reader, { now: clock(), random });
  const find = async () =>
    (await findSubscriber(db, settings.slug, READER)) ?? { public_id: '', state: '' };
  const { public_id } = await find();
  const pages = await openPages(trial);
  try {
    const site = await pages.listen('127.0.0.1', 0);
    const token = unsubscribeToken(keys, settings.slug, public_id);
    return { problems: await conversation(`${site}/u/${token}`, async () => (await find()).state) };
  } finally {
    await pages.close();
  }
}

/** What a provider, a scanner and a browser do, in turn. @returns what goes wrong */
async function conversation(link: string, stateOfReader: () => Promise<string>): Promise<string[]> {
  const problems: string[] = [];
  const expect = (right: boolean, problem: string) => {
    if (!right) problems.push(problem);
  };
  const page = await ask(link, 'GET');
  expect(page === 200, `Opening the unsubscribe link answers ${page} instead of a page`);
  expect((await stateOfReader()) === 'active', 'Opening the unsubscribe link alone unsubscribes');
  const click = await ask(link, 'POST', MULTIPART);
  expect(click === 200 || click === 204, `One-click unsubscribing answers ${click} instead of 200`);
  expect(
    (await stateOfReader()) === 'unsubscribed',
    'One-click unsubscribing does not unsubscribe',
  );
  const again = await ask(link, 'POST', URL_ENCODED);
  expect(
    again === 200 || again === 204,
    `Unsubscribing a second time answers ${again} instead of 200`,
  );
  const forged = await ask(`${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}x`, 'POST');
  expect(forged >= 400 && forged < 500, `A forged link answers ${forged} instead of 404`);
  return problems;
}

/** No cookie, no referrer, no redirect followed (D-05). @returns the status */
function ask(url: string, method: string, body = { type: '', text: '' }): Promise<number> {
  const signal = AbortSignal.timeout(PATIENCE);
  const headers = body.type ? { 'Content-Type': body.type } : {};
  return new Promise((give, fail) => {
    request(url, { method, headers, signal, agent: false }, (response) => {
      response.resume().on('end', () => give(response.statusCode ?? 0));
    })
      .on('error', fail)
      .end(body.text);
  });
}
