/** Several workers on one PostgreSQL database. */
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { claimChunk, handOut } from '../../src/delivery/chunks.ts';
import { storeAndMark } from '../../src/delivery/ledger.ts';
import { campaignProgress, cancelCampaign, pauseCampaign } from '../../src/delivery/progress.ts';
import { createQueue } from '../../src/delivery/queue.ts';
import { runSender } from '../../src/delivery/sender.ts';
import { createSmtpTransport } from '../../src/delivery/smtp/transport.ts';
import type { Transport } from '../../src/delivery/transport.ts';
import type { Turn } from '../../src/delivery/turn.ts';
import { openEngine } from '../../src/store/engine.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { inSureTransaction } from '../../src/store/transaction.ts';
import { addReaders, plan, runOnce, START, states } from '../support/campaign.ts';
import { databaseUrl, seededRandom, silent, temporaryDirectory } from '../support/newsletter.ts';
import { databaseOn, execute, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startReceiver } from '../support/receiver.ts';

/** So many workers' connections to one database with a planned campaign. */
async function cluster(workers: number, readers: number, url?: string) {
  const address = url ?? (await databaseUrl(temporaryDirectory())) ?? '';
  const stores: Store[] = [];
  for (let n = 0; n < workers; n += 1) stores.push(await openStore({ url: address, stateDir: '' }));
  onTestFinished(async () => void (await Promise.all(stores.map(({ close }) => close()))));
  const [{ db }] = stores as [Store];
  await addReaders(db, readers);
  const { campaignId } = await plan(db);
  const receiver = await startReceiver();
  const transportFor = () => createSmtpTransport({ url: receiver.url, connections: 3, rest: 1 });
  return { db, dbs: stores.map((store) => store.db), campaignId, receiver, transportFor };
}

/** Chunks of so many, where a thousand readers would take long. */
async function cutFiner({ db }: Pick<Store, 'db'>, campaign: number, size: number): Promise<void> {
  await db.deleteFrom('chunks').execute();
  await sql`delete from pgboss.job`.execute(db);
  await sql`insert into chunks (newsletter, campaign_id, first_id, last_id)
    select 'weekly', ${campaign}, min(id), max(id) from deliveries group by id / ${sql.lit(size)}`.execute(
    db,
  );
}

/** Transports that send nothing until so many workers have something to send: then each has a chunk. */
function meetingOf(workers: number, transportFor: () => Transport): () => Transport {
  const everybody = Promise.withResolvers<void>();
  let here = 0;
  return () => {
    here += 1;
    if (here === workers) everybody.resolve();
    const transport = transportFor();
    const deliver: Transport['deliver'] = async (mail, record) => {
      await everybody.promise;
      return transport.deliver(mail, record);
    };
    return { ...transport, deliver };
  };
}

test('workers share a campaign: each reader once, and each worker has a part', async () => {
  const { db, dbs, campaignId, receiver, transportFor } = await cluster(3, 120);
  await cutFiner({ db }, campaignId, 10);
  const meeting = meetingOf(dbs.length, transportFor);
  const reports = await Promise.all(dbs.map((one) => runOnce({ db: one, transportFor: meeting })));
  expect(receiver.mails).toHaveLength(120);
  expect(new Set(receiver.mails.map(({ to }) => to)).size).toBe(120);
  const parts = reports.map(({ attempts }) => attempts.accepted);
  expect(parts.reduce((sum, part) => sum + part)).toBe(120);
  expect(Math.min(...parts)).toBeGreaterThan(0);
  await runOnce({ db, transportFor });
  expect(await campaignProgress(db, campaignId)).toMatchObject({ state: 'finished' });
  // One job for each chunk, and none is left.
  const { rows } = await sql<{ open: number }>`select count(*) as open from pgboss.job
    where state < 'completed'`.execute(db);
  expect(rows).toEqual([{ open: 0 }]);
});

describe('a worker that died', () => {
  /** Takes the one chunk, and marks two deliveries of it. */
  async function overtaken(readers = 5) {
    const all = await cluster(2, readers);
    const [db, other] = all.dbs as [Store['db'], Store['db']];
    const engine = await openEngine(db, 'weekly', { supervise: false });
    const job = await engine.take();
    if (!job) throw new Error('there is no job');
    const claim = {
      epoch: 1_000_000,
      now: START,
      onUnknown: 'resend',
      longestMail: 60_000,
    } as const;
    const claimed = await claimChunk(db, engine, job, claim);
    if (!claimed) throw new Error('there is no chunk');
    const turn: Turn = {
      ...claimed,
      epoch: claim.epoch,
      now: START,
      rules: { onUnknown: 'resend', expireAfter: 1e9, rates: {} },
      queue: createQueue(),
      chance: () => 0.5,
    };
    const { marked } = await storeAndMark(db, turn, [], 2);
    expect(marked).toHaveLength(2);
    // No sign of life: it is silent from now on.
    await engine.stop();
    await sql`update pgboss.job set heartbeat_on = now() - interval '1 hour'`.execute(db);
    await sql`update pgboss.queue set monitor_on = null`.execute(db);
    return { ...all, db, other, turn, marked };
  }

  test('its chunk goes to another; what it had begun waits until it must have ended', async () => {
    const { other, receiver, transportFor } = await overtaken();
    await runOnce({ db: other, transportFor, longestMail: 60_000 });
    expect(await states(other)).toEqual({ accepted: 3, attempting: 2 });
    const later = () => START + 61_000;
    await runOnce({ db: other, transportFor, longestMail: 60_000, clock: later });
    expect(await states(other)).toEqual({ accepted: 5 });
    expect(receiver.mails).toHaveLength(5);
    const rows = await other.selectFrom('deliveries').select('resends').execute();
    expect(rows.filter(({ resends }) => resends === 1)).toHaveLength(2);
  });

  test('and wakes marks nothing more, and its late reply is still believed (I4)', async () => {
    const { db, other, turn, marked, receiver, transportFor } = await overtaken();
    await runOnce({
      db: other,
      transportFor,
      settings: { onUnknown: 'hold', expireAfter: 1e9, rates: {} },
    });
    expect(receiver.mails).toHaveLength(3);
    const engine = await openEngine(other, 'weekly', { supervise: false });
    await handOut(other, engine, 'weekly', START + 1e9);
    const job = await engine.take();
    const claim = {
      epoch: 2_000_000,
      now: START + 1e9,
      onUnknown: 'hold',
      longestMail: 1,
    } as const;
    if (job) await claimChunk(other, engine, job, claim);
    await engine.stop();
    expect(await states(other)).toEqual({ accepted: 3, unknown: 2 });
    const outcome = {
      state: 'accepted',
      code: 250,
      reply: '250 ok',
      relayFault: false,
      reason: 'accepted',
    } as const;
    const results = marked.map((delivery) => ({ delivery, outcome }));
    expect(await storeAndMark(db, turn, results, 5)).toMatchObject({ marked: [] });
    expect(await states(other)).toEqual({ accepted: 5 });
  });
});

describe('a campaign', () => {
  test.each([
    ['paused', (db: Store['db'], id: number) => pauseCampaign(db, id, 'by hand', Date.now())],
    ['cancelled', (db: Store['db'], id: number) => cancelCampaign(db, id, Date.now())],
  ])('I10: that is %s stops on every worker at once', async (_, stop) => {
    const { db, dbs, campaignId, transportFor } = await cluster(3, 400);
    await cutFiner({ db }, campaignId, 50);
    const rates = { relay: { perSecond: 200 } };
    const controller = new AbortController();
    const running = dbs.map((one) =>
      runOnce({
        db: one,
        transportFor,
        clock: Date.now,
        once: false,
        signal: controller.signal,
        settings: { onUnknown: 'resend', expireAfter: 1e9, rates },
      }),
    );
    await sleep(1_000);
    await stop(db, campaignId);
    const at = Date.now();
    await sleep(300);
    controller.abort();
    await Promise.all(running);
    const late = await db
      .selectFrom('deliveries')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('attempted_at', '>', at)
      .executeTakeFirst();
    expect(late).toEqual({ n: 0 });
    expect((await states(db)).accepted).toBeGreaterThan(0);
    expect(Object.keys(await states(db))).not.toContain('attempting');
  });

  test('five workers together keep to the rate of the relay', async () => {
    const { db, dbs, campaignId, receiver, transportFor } = await cluster(5, 600);
    await cutFiner({ db }, campaignId, 20);
    const rates = { relay: { perSecond: 100 } };
    const controller = new AbortController();
    const begun = Date.now();
    const running = dbs.map((one) =>
      runSender({
        db: one,
        transportFor,
        newsletter: 'weekly',
        signer: undefined,
        clock: Date.now,
        random: seededRandom(),
        log: silent,
        once: false,
        signal: controller.signal,
        settings: { onUnknown: 'resend', expireAfter: 1e9, rates },
      }),
    );
    while (receiver.mails.length < 300) await sleep(50);
    controller.abort();
    await Promise.all(running);
    const seconds = (Date.now() - begun) / 1_000;
    // A mail may run ahead by 100 ms.
    expect(receiver.mails.length).toBeLessThanOrEqual(100 * (seconds + 0.1) + 1);
  }, 60_000);
});

describe('the database', () => {
  /** Stands between a client and the server, and cuts the line at a commit. */
  async function unreliable(url: string, cut: 'before' | 'after') {
    const path = `${new URL(url).searchParams.get('host')}/.s.PGSQL.5432`;
    const sockets: Socket[] = [];
    let cuts = 1;
    const proxy = createServer((client) => {
      const server = createConnection(path);
      sockets.push(client, server);
      for (const socket of [client, server]) socket.on('error', () => {});
      let isCut = false;
      client.on('data', (bytes) => {
        isCut = cuts > 0 && bytes.includes('commit\0');
        if (isCut) cuts -= 1;
        if (!isCut || cut === 'after') server.write(bytes);
        else client.destroy();
      });
      server.on('data', (bytes) => (isCut ? client.destroy() : client.write(bytes)));
      client.on('close', () => server.end());
      server.on('close', () => client.end());
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const { port } = proxy.address() as { port: number };
    return `postgres://broadsheet@127.0.0.1:${port}${new URL(url).pathname}`;
  }

  const insert = (db: Store['db']) =>
    inSureTransaction(db, 1, async (trx) => {
      const row = { newsletter: 'weekly', node: 'n', started_at: 0, seen_at: 0 };
      await trx.insertInto('workers').values(row).execute();
      return 'result';
    });
  const rows = async ({ db }: Pick<Store, 'db'>) =>
    (await db.selectFrom('workers').selectAll().execute()).length;

  test.each(['before', 'after'] as const)(
    'whose connection breaks %s it has the commit: what happened is found out (D6)',
    async (cut) => {
      const url = (await databaseUrl(temporaryDirectory())) ?? '';
      const store = await openStore({ url: await unreliable(url, cut), stateDir: '' });
      onTestFinished(() => store.close());
      const attempt = insert(store.db);
      if (cut === 'before') await expect(attempt).rejects.toThrow();
      else expect(await attempt).toBe('result');
      expect(await rows(store)).toBe(cut === 'before' ? 0 : 1);
    },
  );

  /** Two workers send to 300 readers while something happens to the database. @returns what has arrived */
  async function sendThrough(url: string, trouble: () => Promise<void>) {
    const { dbs, db, receiver, transportFor, campaignId } = await cluster(2, 300, url);
    await cutFiner({ db }, campaignId, 50);
    const rates = { relay: { perSecond: 150 } };
    const controller = new AbortController();
    const running = dbs.map((one) =>
      runOnce({
        db: one,
        transportFor,
        clock: Date.now,
        once: false,
        signal: controller.signal,
        settings: { onUnknown: 'resend', expireAfter: 1e9, rates },
      }),
    );
    await trouble();
    const isSending = () =>
      campaignProgress(db, campaignId).then(
        ({ state }) => state === 'sending',
        // This one asks while the server is away, too.
        () => true,
      );
    while (await isSending()) await sleep(100);
    controller.abort();
    await Promise.all(running);
    return { states: await states(db), mails: receiver.mails.length };
  }

  test('that crashes and comes back costs nobody a mail, and nobody gets two', async () => {
    expect(inject('postgres')).toBeTruthy();
    const server = startPostgres({ durable: true });
    if (!server) throw new Error('there is no server');
    onTestFinished(() => server.stop());
    const sent = await sendThrough(databaseOn(server.url, 'postgres'), async () => {
      for (let crash = 0; crash < 2; crash += 1) {
        await sleep(400);
        await server.crash();
      }
    });
    expect(sent).toEqual({ states: { accepted: 300 }, mails: 300 });
  }, 120_000);

  test('whose standby takes over, having waited for each commit: nobody is lost, nobody gets two', async () => {
    expect(inject('postgres')).toBeTruthy();
    const primary = startPostgres({ durable: true });
    if (!primary) throw new Error('there is no server');
    const standby = startPostgres({ durable: true, follows: primary }) as PostgresServer;
    onTestFinished(() => standby.stop());
    await execute(primary.url, "alter system set synchronous_standby_names = '*'");
    await execute(primary.url, 'select pg_reload_conf()');
    const address = await addressOf(primary.url);
    const sent = await sendThrough(address.url, async () => {
      await sleep(800);
      primary.stop();
      standby.promote();
      address.movesTo(standby.url);
    });
    expect(sent).toEqual({ states: { accepted: 300 }, mails: 300 });
  }, 120_000);
});

/** An address that stays when the server behind it becomes another one. */
async function addressOf(url: string) {
  const socketOf = (server: string) => `${new URL(server).searchParams.get('host')}/.s.PGSQL.5432`;
  let path = socketOf(url);
  const address = createServer((client) => {
    const server = createConnection(path);
    for (const socket of [client, server])
      socket.on('error', () => {}).on('close', () => void [client.destroy(), server.destroy()]);
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((done) => address.listen(0, '127.0.0.1', done));
  onTestFinished(() => void address.close());
  const { port } = address.address() as { port: number };
  return {
    url: `postgres://broadsheet@127.0.0.1:${port}/postgres`,
    movesTo(other: string) {
      path = socketOf(other);
    },
  };
}
