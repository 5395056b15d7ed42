/** The exports of other tools, with the headers that they have. */
import { beforeEach, describe, expect, test } from 'vitest';
import { importSubscribers } from '../../src/audience/csv.ts';
import type { Tool } from '../../src/audience/foreign.ts';
import type { RefusedRow } from '../../src/audience/merge.ts';
import { reachable } from '../../src/audience/reachable.ts';
import type { Store } from '../../src/store/open.ts';
import { seededRandom, temporaryStore } from '../support/newsletter.ts';

const world = { now: Date.parse('2026-11-20T08:00:00Z'), random: seededRandom() };

let db: Store['db'];
beforeEach(async () => {
  ({ db } = await temporaryStore());
});

async function load(from: Tool, name: string, csv: string, state?: 'active' | 'unsubscribed') {
  const refused: RefusedRow[] = [];
  const report = await importSubscribers(
    db,
    {
      from,
      name,
      newsletter: 'weekly',
      fields: { plan: 'text', city: 'text', note: 'text' },
      standing: state && { state },
      input: (async function* () {
        yield Buffer.from(csv);
      })(),
      onRefused: (row) => refused.push(row),
    },
    world,
  );
  return { report, refused };
}

async function mailable(): Promise<string[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('address')
    .where(reachable())
    .orderBy('address')
    .execute();
  return rows.map(({ address }) => address.replace('@example.com', ''));
}

const all = () => db.selectFrom('subscribers').selectAll().orderBy('address').execute();
const reasons = async () =>
  (await db.selectFrom('suppressions').select('reason').execute()).map(({ reason }) => reason);

describe('Mailchimp', () => {
  const HEAD =
    '"Email Address","First Name","Last Name",City,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION';
  const TAIL = 'LAST_CHANGED,LEID,EUID,NOTES,TAGS';
  const row = (address: string, more = '') =>
    `${address},Ana,Bo,Basel,2,"2021-03-04 05:06:07",192.0.2.1,"2021-03-04 05:09:00",192.0.2.1,,,,,,,,${more}"2022-01-01 00:00:00",1,2,,"""VIP customers"",""Blog"""\n`;

  test('subscribed readers keep names, tags, fields and the dates of their consent', async () => {
    await load(
      'mailchimp',
      'subscribed_email_audience_export_a6140f.csv',
      `${HEAD},${TAIL}\n${row('ana@example.com')}`,
    );
    expect(await mailable()).toEqual(['ana']);
    expect(await all()).toMatchObject([
      {
        name: 'Ana Bo',
        tags: '["VIP-customers","Blog"]',
        fields: '{"city":"Basel"}',
        source: 'mailchimp',
        created_at: Date.parse('2021-03-04T05:06:07Z'),
      },
    ]);
    const confirmed = await db
      .selectFrom('consents')
      .select('at')
      .where('event', '=', 'confirmed')
      .execute();
    expect(confirmed).toEqual([{ at: Date.parse('2021-03-04T05:09:00Z') }]);
  });

  test('unsubscribed, cleaned and nonsubscribed are not mailed, in whatever order the files come', async () => {
    const files: [string, string][] = [
      [
        'cleaned_members_export_bb2.csv',
        `${HEAD},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,${TAIL}\n${row('cem@example.com', '"2023-01-01 00:00:00",x,y,')}`,
      ],
      ['nonsubscribed_email_audience_export_a.csv', `${HEAD},${TAIL}\n${row('dan@example.com')}`],
      [
        'subscribed_email_audience_export_a.csv',
        `${HEAD},${TAIL}\n${['ana', 'ben', 'cem', 'dan'].map((each) => row(`${each}@example.com`)).join('')}`,
      ],
      // By another name: the column tells.
      [
        'left.csv',
        `${HEAD},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,${TAIL}\n${row('ben@example.com', '"2023-01-01 00:00:00",x,y,N,,')}`,
      ],
    ];
    for (const [name, csv] of files) await load('mailchimp', name, csv);
    expect(await mailable()).toEqual(['ana']);
    expect(await reasons()).toEqual(['hard-bounce']);
  });

  test('a file that does not say what its readers are is refused, until the owner says it', async () => {
    const csv = `${HEAD},${TAIL}\n${row('ana@example.com')}`;
    await expect(load('mailchimp', 'renamed.csv', csv)).rejects.toMatchObject({
      code: 'export-standing-unknown',
    });
    expect(await all()).toEqual([]);
    await load('mailchimp', 'renamed.csv', csv, 'active');
    expect(await mailable()).toEqual(['ana']);
  });
});

describe('Substack', () => {
  const HEAD = 'email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n';

  test('takes who gets mail, with plan and date; whoever switched it off has left', async () => {
    await load(
      'substack',
      'email_list.weekly.csv',
      `${HEAD}ana@example.com,true,2026-12-01T00:00:00.000Z,yearly,false,2024-01-15T10:00:00.000Z,2024-01-15T10:00:00.000Z\nben@example.com,false,,other,true,2024-01-15T10:00:00.000Z,\ncem@example.com,false,,other,,2024-01-15T10:00:00.000Z,\n`,
    );
    expect(await mailable()).toEqual(['ana']);
    expect((await all())[0]).toMatchObject({
      fields: '{"plan":"yearly"}',
      created_at: Date.parse('2024-01-15T10:00:00Z'),
    });
  });

  test('the table of the dashboard, which hides who left, is refused', async () => {
    const csv = 'Email,Name,Type,Start date\nana@example.com,Ana,free,2024-01-01\n';
    await expect(load('substack', 'export.csv', csv)).rejects.toMatchObject({
      code: 'export-unknown',
      problems: [{ hint: expect.stringContaining('email_list') }],
    });
  });
});

describe('Ghost', () => {
  test('takes members who are subscribed, with labels; the others have left', async () => {
    const head =
      'id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers,gift_id\n';
    await load(
      'ghost',
      'members.csv',
      `${head}1,ana@example.com,Ana,"VIP, early",true,false,,2024-01-15T10:00:00.000Z,,"Early bird,press",,\n2,ben@example.com,Ben,,false,false,,2024-01-15T10:00:00.000Z,,,,\n3,cem@example.com,Cem,,true,false,,2024-01-15T10:00:00.000Z,2024-02-01T00:00:00.000Z,,,\n4,dan@example.com,Dan,,,,,,,,,\n`,
    );
    expect(await mailable()).toEqual(['ana']);
    expect((await all())[0]).toMatchObject({
      tags: '["Early-bird","press"]',
      fields: '{"note":"VIP, early"}',
    });
  });
});

describe('listmonk’s CSV', () => {
  const csv = `uuid,email,name,attributes,status,created_at,updated_at
1,ana@example.com,Ana,"{""city"": ""Basel"", ""nested"": {""a"": 1}}",enabled,2023-05-01 10:00:00.123456 +0200 CEST,2023-05-01 10:00:00.123456 +0200 CEST
2,ben@example.com,Ben,{},blocklisted,2023-05-01 10:00:00.123456 +0000 UTC,2023-05-01 10:00:00.123456 +0000 UTC
3,cem@example.com,Cem,{},disabled,2023-05-01 10:00:00 +0000 +0000,2023-05-01 10:00:00 +0000 +0000
`;

  test('lacks the status per list: nobody of it is mailed', async () => {
    const { report } = await load('listmonk', 'subscribers.csv', csv);
    expect(report).toMatchObject({ pending: 1, suppressed: 1, unsubscribed: 1, refused: 0 });
    expect(await mailable()).toEqual([]);
    expect((await all())[0]).toMatchObject({
      fields: '{"city":"Basel"}',
      created_at: Date.parse('2023-05-01T08:00:00.123Z'),
    });
  });

  test('unless the owner says that it holds confirmed ones only; the blocklisted are not mailed even then', async () => {
    await load('listmonk', 'subscribers.csv', csv, 'active');
    expect(await mailable()).toEqual(['ana']);
    expect(await reasons()).toEqual(['manual']);
  });
});
