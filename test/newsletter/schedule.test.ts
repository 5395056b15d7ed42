/** The recurring send on a real database; the clock is the test's. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { approve } from '../../src/newsletter/approve.ts';
import { control } from '../../src/newsletter/campaigns.ts';
import { adopt } from '../../src/newsletter/installation.ts';
import { comingSlots, planDue, runDue } from '../../src/newsletter/schedule.ts';
import { send } from '../../src/newsletter/send.ts';
import { addSubscriber } from '../../src/newsletter/subscribers.ts';
import { openTestNewsletter, type TestNewsletter, writeIssue } from '../support/newsletter.ts';

const CHILD = join(import.meta.dirname, 'scheduler-child.ts');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Sundays at nine in Shanghai. */
const SLOT = Date.parse('2026-11-22T01:00:00Z');
const SLOT_ID = 'ai-weekly@2026-11-22T09:00[Asia/Shanghai]';

let newsletter: TestNewsletter;

beforeEach(async () => {
  newsletter = await openTestNewsletter({ now: SLOT - 2 * DAY });
  await addSubscriber(newsletter, { address: 'ana@example.com', name: null });
  writeIssue(newsletter.dir, 'w4', { date: '2026-11-22' });
  await approve(newsletter, 'w4');
  // A schedule begins with its first tick (S-07).
  expect(await planDue(newsletter)).toEqual([]);
});

const moveTo = (time: number) => newsletter.advance(time - newsletter.clock());
const campaigns = () =>
  newsletter.db.selectFrom('campaigns').select(['issue', 'slot', 'state']).execute();
const slots = () =>
  newsletter.db.selectFrom('slots').select(['slot', 'state', 'note']).orderBy('at').execute();

describe('a slot', () => {
  test('that is not due plans nothing', async () => {
    moveTo(SLOT - 1);
    expect(await planDue(newsletter)).toEqual([]);
    expect(await campaigns()).toEqual([]);
  });

  test('that is due plans its approved issue, once, however often the clock ticks', async () => {
    for (const time of [SLOT, SLOT + 1, SLOT + MINUTE, SLOT + HOUR]) {
      moveTo(time);
      await planDue(newsletter);
    }
    expect(await campaigns()).toEqual([{ issue: 'w4', slot: SLOT_ID, state: 'sending' }]);
    expect(await slots()).toEqual([{ slot: SLOT_ID, state: 'sending', note: null }]);
  });

  test('is sent by run-due, which systemd or cron may call, and then done', async () => {
    moveTo(SLOT);
    const { signal } = new AbortController();
    expect(await runDue(newsletter, signal)).toMatchObject([{ slot: SLOT_ID, state: 'done' }]);
    expect(await campaigns()).toMatchObject([{ state: 'finished' }]);
    expect(await runDue(newsletter, signal)).toEqual([]);
  });

  test('S-05: is caught up inside the window, and says how late it was', async () => {
    moveTo(SLOT + 6 * HOUR);
    expect(await planDue(newsletter)).toMatchObject([{ state: 'sending', note: 'late by 6 h' }]);
  });

  test('S-05: beyond the window is missed, and its issue stays unsent', async () => {
    moveTo(SLOT + 6 * HOUR + 1);
    expect(await planDue(newsletter)).toMatchObject([{ state: 'missed' }]);
    expect(await campaigns()).toEqual([]);
  });

  test('S-06: of several that were slept through only the latest can be sent', async () => {
    writeIssue(newsletter.dir, 'w5', { date: '2026-11-29' });
    await approve(newsletter, 'w5');
    moveTo(SLOT + 7 * DAY + HOUR);
    await planDue(newsletter);
    expect((await slots()).map(({ state }) => state)).toEqual(['missed', 'sending']);
    expect(await campaigns()).toMatchObject([{ issue: 'w5' }]);
  });
});

describe('S-08: nothing is sent', () => {
  const skipped = async (note: RegExp) => {
    moveTo(SLOT);
    expect(await planDue(newsletter)).toMatchObject([
      { state: 'skipped', note: expect.stringMatching(note) },
    ]);
    expect(await campaigns()).toEqual([]);
  };

  test('when a letter of the approved file was changed', async () => {
    const file = join(newsletter.dir, 'issues/w4/issue.md');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Words.', 'Words!'));
    await skipped(/not approved yet: w4/);
  });

  test('when two issues are approved for it', async () => {
    writeIssue(newsletter.dir, 'w4b', { date: '2026-11-21' });
    await approve(newsletter, 'w4b');
    await skipped(/several.*w4/);
  });

  test('when the issue cannot be read', async () => {
    writeFileSync(join(newsletter.dir, 'issues/w4/issue.md'), 'nothing');
    await skipped(/no issue/);
  });

  test('when it was sent by hand before', async () => {
    const { signal } = new AbortController();
    const talk = { confirm: async () => true, onPlan: () => {}, onProgress: () => {}, signal };
    await send(newsletter, { issue: 'w4' }, talk);
    moveTo(SLOT);
    expect(await planDue(newsletter)).toMatchObject([{ state: 'skipped' }]);
    expect(await campaigns()).toMatchObject([{ slot: null }]);
  });

  test('again, when its campaign was cancelled', async () => {
    moveTo(SLOT);
    await planDue(newsletter);
    const [{ id }] = (await newsletter.db.selectFrom('campaigns').select('id').execute()) as [
      { id: number },
    ];
    await control(newsletter, String(id), 'cancel');
    moveTo(SLOT + MINUTE);
    await planDue(newsletter);
    expect(await slots()).toMatchObject([{ state: 'cancelled' }]);
    expect(await campaigns()).toHaveLength(1);
  });
});

describe('S-03: clocks, restarts and rivals need no case of their own', () => {
  test('a clock that jumps back and forth sends once', async () => {
    for (const time of [SLOT + HOUR, SLOT - DAY, SLOT - 1, SLOT, SLOT + 2 * HOUR]) {
      moveTo(time);
      await planDue(newsletter);
    }
    expect(await campaigns()).toHaveLength(1);
  });

  test('a clock that was in the future for a while loses no later slot', async () => {
    moveTo(SLOT);
    await planDue(newsletter);
    moveTo(SLOT + 40 * DAY);
    await planDue(newsletter);
    moveTo(SLOT + 7 * DAY);
    writeIssue(newsletter.dir, 'w5', { date: '2026-11-29' });
    await approve(newsletter, 'w5');
    await planDue(newsletter);
    expect(await campaigns()).toMatchObject([{ issue: 'w4' }, { issue: 'w5' }]);
  });

  test('of two schedulers on one database exactly one plans the slot', async () => {
    const rivals = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [CHILD, newsletter.dir, String(SLOT)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const said = await Promise.all(rivals.map(({ stdout }) => stdout.toArray()));
    expect(said.map((chunks) => chunks.join('').trim()).sort()).toEqual(['0', '0', '1']);
    expect(await campaigns()).toHaveLength(1);
  });

  test('a failure while planning leaves the slot due, and the next tick plans it', async () => {
    await newsletter.db.updateTable('subscribers').set({ state: 'unsubscribed' }).execute();
    moveTo(SLOT);
    await expect(planDue(newsletter)).rejects.toMatchObject({ code: 'nobody-to-send-to' });
    expect(await slots()).toEqual([]);
    await addSubscriber(newsletter, { address: 'ben@example.com', name: null });
    moveTo(SLOT + MINUTE);
    expect(await planDue(newsletter)).toMatchObject([{ state: 'sending' }]);
  });
});

describe('S-07', () => {
  test('a schedule that is new or changed makes up for no slot before it', async () => {
    moveTo(SLOT + MINUTE);
    const schedule = { cron: '0 8 * * 0', zone: 'Asia/Shanghai', catchUp: 6 * HOUR };
    const changed = { ...newsletter, settings: { ...newsletter.settings, schedule } };
    expect(await planDue(changed)).toEqual([]);
    expect(await campaigns()).toEqual([]);
  });

  test('a database that was copied to another installation sends nothing until it is adopted', async () => {
    moveTo(SLOT);
    await newsletter.db.updateTable('schedules').set({ instance: 'another' }).execute();
    await expect(planDue(newsletter)).rejects.toMatchObject({
      kind: 'blocked',
      code: 'schedule-foreign',
      message: expect.stringContaining('schedule adopt'),
    });
    expect(await campaigns()).toEqual([]);
    await adopt(newsletter);
    expect(await planDue(newsletter)).toEqual([]);
    writeIssue(newsletter.dir, 'w5', { date: '2026-11-29' });
    await approve(newsletter, 'w5');
    moveTo(SLOT + 7 * DAY);
    expect(await planDue(newsletter)).toMatchObject([{ state: 'sending', issue: 'w5' }]);
  });
});

test('schedule next gives the coming five, each with its issue or what is missing', async () => {
  writeIssue(newsletter.dir, 'w5', { date: '2026-11-28' });
  const coming = await comingSlots(newsletter, 5);
  expect(coming.map(({ local }) => local)).toEqual([
    '2026-11-22T09:00',
    '2026-11-29T09:00',
    '2026-12-06T09:00',
    '2026-12-13T09:00',
    '2026-12-20T09:00',
  ]);
  expect(coming[0]).toMatchObject({ issue: 'w4', missing: null, zone: 'Asia/Shanghai' });
  expect(coming[1]).toMatchObject({ issue: null, missing: 'not approved yet: w5' });
  expect(coming[2]).toMatchObject({ issue: null, missing: expect.stringMatching(/^no issue/) });
});
