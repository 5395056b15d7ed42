import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  nextSlots,
  previousSlot,
  type Rule,
  slotsBetween,
  validateRule,
} from '../../src/schedule/slots.ts';

const rule = (cron: string, zone: string): Rule => ({ newsletter: 'weekly', cron, zone });
const at = (time: string) => Date.parse(time);
const iso = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z');

describe('S-04: a slot and the changes of clocks', () => {
  test.each<[string, string, string, string, string[]]>([
    // zone, rule, from, to, instants
    [
      'America/New_York',
      '30 2 * * *',
      '2026-03-08T00:00Z',
      '2026-03-09T00:00Z',
      ['2026-03-08T07:00Z'],
    ],
    [
      'America/New_York',
      '30 1 * * *',
      '2026-11-01T00:00Z',
      '2026-11-02T00:00Z',
      ['2026-11-01T05:30Z'],
    ],
    [
      'Europe/London',
      '30 1 * * *',
      '2026-10-25T00:00Z',
      '2026-10-25T23:00Z',
      ['2026-10-25T00:30Z'],
    ],
    [
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2026-10-03T12:00Z',
      '2026-10-04T12:00Z',
      ['2026-10-03T15:30Z'],
    ],
    [
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2026-04-04T12:00Z',
      '2026-04-05T12:00Z',
      ['2026-04-04T14:45Z'],
    ],
    ['Asia/Shanghai', '0 9 * * 1', '2026-11-20T00:00Z', '2026-11-27T00:00Z', ['2026-11-23T01:00Z']],
    [
      'America/Santiago',
      '30 0 * * *',
      '2026-09-05T12:00Z',
      '2026-09-06T12:00Z',
      ['2026-09-06T04:00Z'],
    ],
    [
      'Pacific/Apia',
      '0 9 * * 5',
      '2011-12-20T00:00Z',
      '2012-01-08T00:00Z',
      ['2011-12-23T19:00Z', '2012-01-05T19:00Z'],
    ],
  ])('%s, %s, from %s to %s', (zone, cron, from, to, instants) => {
    const found = slotsBetween(rule(cron, zone), at(from), at(to));
    expect(found.map((slot) => iso(slot.at))).toEqual(instants);
    // Looking back finds the same instants.
    const last = previousSlot(rule(cron, zone), at(to));
    expect(iso(last?.at ?? 0)).toBe(instants.at(-1));
  });

  test('in a gap the slot bears the time at which it runs, on the same day (S-02)', () => {
    const [slot] = nextSlots(rule('30 2 * * *', 'America/New_York'), at('2026-03-08T00:00Z'), 1);
    expect(slot).toMatchObject({ local: '2026-03-08T03:00', localDate: '2026-03-08' });
  });
});

describe('S-02: the id of a slot', () => {
  test('is newsletter, wall time and zone', () => {
    const [slot] = nextSlots(rule('0 9 * * 1', 'Asia/Shanghai'), at('2026-11-20T00:00Z'), 1);
    expect(slot?.id).toBe('weekly@2026-11-23T09:00[Asia/Shanghai]');
  });

  test('is the same whether it is found going forwards or backwards', () => {
    const zones = ['Asia/Shanghai', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe'];
    const times = fc.integer({ min: at('2020-01-01T00:00Z'), max: at('2030-01-01T00:00Z') });
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 6 }),
        times,
        (zone, hour, day, time) => {
          const weekly = rule(`30 ${hour} * * ${day}`, zone);
          const [next] = nextSlots(weekly, time, 1);
          expect(next).toBeDefined();
          expect(previousSlot(weekly, (next?.at ?? 0) + 1)).toEqual(next);
          expect(slotsBetween(weekly, time, next?.at ?? 0)).toEqual([next]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('S-01: a rule', () => {
  test('does not depend on the zone of the machine', () => {
    const before = process.env.TZ;
    const found = ['UTC', 'America/Los_Angeles', 'Asia/Tokyo'].map((zone) => {
      process.env.TZ = zone;
      return nextSlots(rule('0 9 * * 0', 'Asia/Shanghai'), at('2026-11-20T00:00Z'), 3);
    });
    process.env.TZ = before ?? '';
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  test.each([
    ['six fields', '0 0 9 * * 1', 'Asia/Shanghai', 'schedule-invalid'],
    ['a word', 'weekly', 'Asia/Shanghai', 'schedule-invalid'],
    ['an hour that does not exist', '0 25 * * *', 'Asia/Shanghai', 'schedule-invalid'],
    ['a zone that does not exist', '0 9 * * 1', 'Mars/Olympus', 'schedule-invalid'],
    ['the 30th of February', '0 9 30 2 *', 'UTC', 'schedule-never'],
  ])('with %s is refused, and told how to write it', (_, cron, zone, code) => {
    expect(() => validateRule(rule(cron, zone))).toThrow(
      expect.objectContaining({ kind: 'input', code }),
    );
  });
});
