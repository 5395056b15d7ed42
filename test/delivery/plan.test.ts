import { describe, expect, test } from 'vitest';
import { forgetAddress } from '../../src/audience/forget.ts';
import { suppress } from '../../src/audience/suppression.ts';
import { removeSubscriber } from '../../src/audience/unsubscribe.ts';
import { createOutbox } from '../../src/delivery/outbox.ts';
import { findCampaign, previewPlan } from '../../src/delivery/plan.ts';
import { cancelCampaign } from '../../src/delivery/progress.ts';
import { deserialise, fill, programHash } from '../../src/message/program.ts';
import { addReaders, EMAIL, KEY, plan, runOnce, START, states } from '../support/campaign.ts';
import { seededRandom, temporaryDirectory, temporaryStore } from '../support/newsletter.ts';

describe('a plan', () => {
  test('freezes one delivery for each reachable reader, with address and link', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 3);
    await removeSubscriber(
      db,
      { newsletter: 'weekly', address: 'reader2@example.com', via: 'test' },
      START,
    );
    const { campaignId, planned } = await plan(db);
    expect(planned).toBe(2);
    const rows = await db.selectFrom('deliveries').selectAll().execute();
    expect(rows.map(({ address, state }) => [address, state])).toEqual([
      ['reader1@example.com', 'queued'],
      ['reader3@example.com', 'queued'],
    ]);
    expect(JSON.parse(rows[0]?.slots ?? '')).toEqual({
      name: null,
      token: expect.stringMatching(/^1\.k1\./),
    });
    expect(await findCampaign(db, KEY)).toMatchObject({
      id: campaignId,
      state: 'sending',
      planned: 2,
    });
  });

  test('freezes the edition: its program gives the same bytes ever after', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 1);
    await plan(db);
    const edition = await db.selectFrom('editions').selectAll().executeTakeFirstOrThrow();
    const program = deserialise(edition.program);
    expect(edition.hash).toBe(programHash(program));
    expect(JSON.parse(edition.email)).toEqual(EMAIL);
    expect(
      fill(program, { delivery: 1, address: 'a@example.com', name: null, token: 't' }).toString(),
    ).toContain('To: <a@example.com>');
  });

  test('is all or nothing: without a reader nothing is left behind', async () => {
    const { db } = await temporaryStore();
    await expect(plan(db)).rejects.toThrow('There is nobody to send 2026-w47 to');
    expect(await db.selectFrom('campaigns').selectAll().execute()).toEqual([]);
  });

  test('of an issue that is under way is refused by the database (I1)', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 1);
    await plan(db);
    await addReaders(db, 1, 2);
    await expect(plan(db)).rejects.toThrow(/unique/i);
  });

  test('for new readers leaves out who has had the issue', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 2);
    await plan(db);
    await runOnce({ db, transportFor: () => createOutbox(temporaryDirectory()) });
    await addReaders(db, 1, 3);
    const { planned } = await plan(db, { audience: { segment: null, newReaders: true } });
    expect(planned).toBe(1);
  });

  test('after a cancelled one takes those who had not been reached, and nobody twice', async () => {
    const { db } = await temporaryStore();
    await addReaders(db, 2);
    const { campaignId } = await plan(db);
    await db.updateTable('deliveries').set({ state: 'accepted' }).where('id', '=', 1).execute();
    await cancelCampaign(db, campaignId, START);
    expect((await plan(db)).planned).toBe(1);
    expect(await states(db)).toEqual({ accepted: 1, cancelled: 1, queued: 1 });
  });
});

test('a reader who is erased while a plan is under way waits for it, and nothing of them stays in it', async () => {
  const { db } = await temporaryStore();
  const [address = ''] = await addReaders(db, 2);
  const change = { now: START, random: seededRandom('erased') };
  const { forgotten } = await db.transaction().execute(async (trx) => {
    await plan(trx);
    const forgotten = forgetAddress(db, { newsletter: 'weekly', address }, change);
    for (let time = 1; time <= 50; time += 1)
      await trx.selectFrom('subscribers').select('id').execute();
    return { forgotten };
  });
  expect((await forgotten).deliveries).toHaveLength(1);
  const left = await db.selectFrom('deliveries').select('address').orderBy('id').execute();
  expect(left).toEqual([{ address: null }, { address: 'reader2@example.com' }]);
});

test('a preview counts recipients by provider and the others by reason, and writes nothing', async () => {
  const { db } = await temporaryStore();
  await addReaders(db, 4);
  await suppress(
    db,
    { newsletter: 'other', address: 'reader1@example.com', reason: 'complaint' },
    START,
  );
  await removeSubscriber(
    db,
    { newsletter: 'weekly', address: 'reader2@example.com', via: 'test' },
    START,
  );
  expect(await previewPlan(db, KEY)).toEqual({
    recipients: 2,
    byProvider: { other: 2 },
    excluded: { unsubscribed: 1, suppressed: 1 },
  });
  expect(await states(db)).toEqual({});
});
