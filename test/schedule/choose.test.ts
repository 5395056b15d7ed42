import { describe, expect, test } from 'vitest';
import { type Candidate, chooseIssue } from '../../src/schedule/choose.ts';
import { nextSlots, previousSlot } from '../../src/schedule/slots.ts';

const rule = { newsletter: 'weekly', cron: '0 9 * * 0', zone: 'Asia/Shanghai' };
const [slot] = nextSlots(rule, Date.parse('2026-11-20T00:00Z'), 1);
if (!slot) throw new Error('no slot');
const previous = previousSlot(rule, slot.at);

const candidate = (id: string, date: string, change: Partial<Candidate> = {}): Candidate => ({
  id,
  date,
  approved: true,
  hasCampaign: false,
  ...change,
});

/** The slot is Sunday 2026-11-22; the one before was on 2026-11-15. */
describe('S-08: the issue of a slot', () => {
  test.each<[string, Candidate[], string]>([
    ['dated on its day', [candidate('a', '2026-11-22')], 'a'],
    ['dated after the previous slot', [candidate('a', '2026-11-16')], 'a'],
    [
      'the only one of several that is approved',
      [candidate('a', '2026-11-20'), candidate('b', '2026-11-22', { approved: false })],
      'a',
    ],
    [
      'the one that was not sent',
      [candidate('a', '2026-11-20', { hasCampaign: true }), candidate('b', '2026-11-22')],
      'b',
    ],
  ])('is the one %s', (_, candidates, issue) => {
    expect(chooseIssue(slot, previous, candidates)).toEqual({ issue });
  });

  test.each<[string, Candidate[], RegExp]>([
    ['there is none', [], /^no issue is dated after 2026-11-15 and up to 2026-11-22$/],
    ['it is dated on the previous slot’s day', [candidate('a', '2026-11-15')], /^no issue/],
    ['it is dated after the slot', [candidate('a', '2026-11-23')], /^no issue/],
    ['it was sent', [candidate('a', '2026-11-22', { hasCampaign: true })], /^no issue/],
    [
      'it is not approved',
      [candidate('a', '2026-11-22', { approved: false })],
      /^not approved yet: a$/,
    ],
    [
      'several are approved',
      [candidate('a', '2026-11-20'), candidate('b', '2026-11-22')],
      /^several issues.*a, b$/,
    ],
  ])('is missing, with the reason, when %s', (_, candidates, missing) => {
    expect(chooseIssue(slot, previous, candidates)).toEqual({
      missing: expect.stringMatching(missing),
    });
  });

  test('of the first slot ever may be dated at any time before', () => {
    expect(chooseIssue(slot, null, [candidate('a', '2020-01-01')])).toEqual({ issue: 'a' });
  });
});
