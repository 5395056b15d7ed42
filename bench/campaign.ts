/** The bundled issue, planned for a list in a database of its own, and as nodemailer and smtp-source take it. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { addSubscriber } from '../src/audience/subscribers.ts';
import { loadSettings } from '../src/config/load.ts';
import { planCampaign } from '../src/delivery/plan.ts';
import { fill } from '../src/message/program.ts';
import { readMessage } from '../src/message/read.ts';
import { compose } from '../src/newsletter/compose.ts';
import { openStore } from '../src/store/open.ts';

const root = resolve(import.meta.dirname, '..');
const ISSUE = '2023-09-w3';
const TOKEN = 'TOKEN';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
let drawn = 0;
/** Unlike each other, and the same in every run. */
const random = (bytes: number) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32BE(drawn++, 0);
  return buffer;
};

export interface Prepared {
  /** Bytes of the message on the wire, and of its HTML. */
  bytes: number;
  htmlBytes: number;
}

/** Plans so many deliveries in `dir`, and writes `message.eml` and `message.json` beside the database. */
export async function prepare(dir: string, mails: number): Promise<Prepared> {
  const settings = { ...loadSettings(root), slug: 'bench' };
  const { db, close } = await openStore({ stateDir: dir });
  const keys = [{ id: 'bench', key: Buffer.alloc(32, 1) }] as const;
  const now = Date.now();
  const desk = {
    dir: root,
    stateDir: dir,
    settings,
    secrets: {},
    keys,
    db,
    clock: () => now,
    random,
    log: silent,
    workerCommand: [],
  };
  const { email, program } = await compose(desk, ISSUE, now);
  await db.transaction().execute(async (trx) => {
    for (let n = 0; n < mails; n += 1) {
      const reader = {
        newsletter: 'bench',
        address: `reader${n}@example.com`,
        name: null,
        source: 'bench',
      };
      await addSubscriber(trx, reader, { now, random });
    }
  });
  await planCampaign(db, {
    newsletter: 'bench',
    channel: 'smtp',
    issue: ISSUE,
    audience: { segment: null, newReaders: false },
    email,
    program,
    sender: settings.sender.address,
    tokenFor: (publicId) => `1.bench.${publicId}.aaaaaaaaaaaaaaaaaaaaaa`,
    now,
  });
  await close();
  const message = fill(program, {
    delivery: 1,
    address: 'reader@example.com',
    name: null,
    token: TOKEN,
  });
  const { subject, html, text } = await readMessage(message);
  const open = (words: string) => words.replace(/https:\S*?\/u\/TOKEN/g, '{{unsubscribe}}');
  writeFileSync(join(dir, 'message.eml'), message);
  writeFileSync(
    join(dir, 'message.json'),
    JSON.stringify({ subject, html: open(html), text: open(text) }),
  );
  return { bytes: message.length, htmlBytes: Buffer.byteLength(html) };
}
