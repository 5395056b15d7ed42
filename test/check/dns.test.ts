/** What `doctor` reads in the DNS, by tables of records. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import {
  createRecordLookup,
  discoverPolicy,
  getPolicyTags,
} from 'mailauth/lib/dmarc/get-dmarc-record.js';
import { describe, expect, test } from 'vitest';
import { publish } from '../../src/check/dns/ask.ts';
import { dkimRecord, examineDkim, readDkim } from '../../src/check/dns/dkim.ts';
import {
  examineDmarc,
  type Identities,
  organisationOf,
  policyOf,
  readDmarc,
  treeNames,
  walkTree,
} from '../../src/check/dns/dmarc.ts';
import { examineMx, examineSoa } from '../../src/check/dns/mail.ts';
import { examineSpf, readSpf } from '../../src/check/dns/spf.ts';
import { resolverOf, type Zone } from '../support/zone.ts';

const FROM = 'news.example.com';
const txt = (...records: string[]) => ({ TXT: records });

describe('D-34: SPF of the return path', () => {
  const eleven = Array.from({ length: 11 }, (_, at) => `a:host${at}.example.com`).join(' ');
  const five = Array.from({ length: 5 }, (_, at) => `a:host${at}.example.com`).join(' ');
  test.each<[string, Zone, string, RegExp]>([
    [
      'one record with -all',
      { [FROM]: txt('v=spf1 ip4:192.0.2.0/24 -all') },
      'ok',
      /0 of at most 10/,
    ],
    ['one record with ~all', { [FROM]: txt('v=spf1 mx ~all') }, 'ok', /1 of at most 10.*~all/],
    ['other texts beside it', { [FROM]: txt('site=1', 'v=spf1 -all', 'v=spf10') }, 'ok', /-all/],
    ['none', { [FROM]: txt('v=spf2.0/pra -all') }, 'fail', /no record/],
    ['no such domain', {}, 'fail', /no record/],
    ['two (RFC 7208 4.5)', { [FROM]: txt('v=spf1 -all', 'v=spf1 mx -all') }, 'fail', /has 2 SPF/],
    ['a name server that is silent', { [FROM]: 'silent' }, 'warn', /could not be asked.*ETIMEOUT/],
    ['everybody allowed', { [FROM]: txt('v=spf1 mx +all') }, 'fail', /\+all: it forbids nobody/],
    ['a bare all', { [FROM]: txt('v=spf1 all') }, 'fail', /\+all/],
    ['?all', { [FROM]: txt('v=spf1 mx ?all') }, 'fail', /\?all/],
    ['no end', { [FROM]: txt('v=spf1 mx') }, 'fail', /ends in nothing/],
    [
      'a word that is none',
      { [FROM]: txt('v=spf1 ipv4:192.0.2.1 -all') },
      'fail',
      /"ipv4:192.0.2.1".*no term/,
    ],
    ['include of nothing', { [FROM]: txt('v=spf1 include: -all') }, 'fail', /"include:".*no term/],
    [
      'ten look-ups in all',
      {
        [FROM]: txt(`v=spf1 ${five} include:a.example mx -all`),
        'a.example': txt('v=spf1 a:b mx a ~all'),
      },
      'ok',
      /10 of at most 10 look-ups, ends in -all/,
    ],
    [
      'eleven (RFC 7208 4.6.4)',
      { [FROM]: txt(`v=spf1 ${eleven} -all`) },
      'fail',
      /more than 10 look-ups/,
    ],
    [
      'eleven with those of an include',
      {
        [FROM]: txt(`v=spf1 ${five} include:a.example -all`),
        'a.example': txt(`v=spf1 ${five} -all`),
      },
      'fail',
      /more than 10 look-ups/,
    ],
    ['a circle', { [FROM]: txt(`v=spf1 include:${FROM} -all`) }, 'fail', /more than 10 look-ups/],
    [
      'an include without a record (RFC 7208 5.2)',
      { [FROM]: txt('v=spf1 include:none.example -all') },
      'fail',
      /include leads to none.example, which has no SPF record/,
    ],
    [
      'an include of a silent name server',
      { [FROM]: txt('v=spf1 include:a.example -all'), 'a.example': 'silent' },
      'warn',
      /could not be asked.*a.example: ETIMEOUT/,
    ],
    [
      'an include with a macro, which is only counted',
      { [FROM]: txt('v=spf1 include:%{ir}.a.example -all') },
      'ok',
      /1 of at most 10/,
    ],
    [
      'the end of a redirect (RFC 7208 6.1)',
      { [FROM]: txt('v=spf1 redirect=a.example'), 'a.example': txt('v=spf1 mx -all') },
      'ok',
      /2 of at most 10 look-ups, ends in -all/,
    ],
    ['what stands behind all', { [FROM]: txt('v=spf1 -all mx a') }, 'ok', /0 of at most 10/],
    [
      'escapes for a terminal',
      { [FROM]: txt('v=spf1 \u001b[2Jx -all') },
      'fail',
      /^[^\u001b]*" \[2Jx"/,
    ],
    [
      'a redirect beside all, which is ignored',
      { [FROM]: txt('v=spf1 redirect=a.example ~all') },
      'ok',
      /0 of/,
    ],
  ])('%s', async (_, zone, state, found) => {
    const examined = await examineSpf(resolverOf(zone), FROM, undefined);
    expect(examined).toMatchObject({ id: 'spf', state, subject: `SPF of ${FROM}` });
    expect(examined.found).toMatch(found);
    expect(examined.fix === null).toBe(state === 'ok' || found.source.startsWith('could'));
  });

  test.each<[string, string, RegExp]>([
    [
      'a:mail.news.example.com',
      'mail.news.example.com',
      /TXT "v=spf1 a:mail.news.example.com ~all"$/,
    ],
    [
      'what the relay asks for',
      'email-smtp.eu-west-1.amazonaws.com',
      /include:amazonses.com ~all"$/,
    ],
    ['a gap for what only the relay knows', 'smtp.relay.example', /include:THE-NAME-/],
  ])('the record to publish names %s', async (_, relay, fix) => {
    const examined = await examineSpf(resolverOf({}), FROM, relay);
    expect(examined.fix).toMatch(/^Publish: news\.example\.com\. TXT "v=spf1 /);
    expect(examined.fix).toMatch(fix);
  });

  test('of another company’s relay it says what cannot be known, and warns where its name is missing', async () => {
    const resolver = resolverOf({ [FROM]: txt('v=spf1 ip4:192.0.2.1 -all') });
    const unknown = await examineSpf(resolver, FROM, 'smtp.relay.example');
    expect(unknown).toMatchObject({ state: 'ok' });
    expect(unknown.found).toContain(
      'whether it covers what smtp.relay.example sends from cannot be known',
    );
    const ses = await examineSpf(resolver, FROM, 'email-smtp.eu-west-1.amazonaws.com');
    expect(ses).toMatchObject({ state: 'warn' });
    expect(ses.fix).toContain('"v=spf1 ip4:192.0.2.1 include:amazonses.com -all"');
  });

  test('a record that ends badly is printed with a good end', async () => {
    const resolver = resolverOf({ [FROM]: txt('v=spf1 mx  ?ALL exp=e.example.com') });
    const { fix } = await examineSpf(resolver, FROM, undefined);
    expect(fix).toBe(`Publish: ${FROM}. TXT "v=spf1 mx exp=e.example.com ~all"`);
  });

  test('the terms of a record', () => {
    expect(readSpf('v=spf1 A/24 -ip6:2001:db8::/32 Redirect=b.example').terms).toEqual([
      { qualifier: '+', name: 'a', value: '/24' },
      { qualifier: '-', name: 'ip6', value: '2001:db8::/32' },
      { name: 'redirect', value: 'b.example' },
    ]);
  });
});

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const pair = rsa(2048);
const der = (key: KeyObject, type: 'spki' | 'pkcs1' = 'spki') =>
  key.export({ type, format: 'der' }).toString('base64');

describe('D-34, D-37: the DKIM key', () => {
  const NAME = `k1._domainkey.${FROM}`;
  const p = der(pair.publicKey);
  const short = rsa(1024);
  test.each<[string, Zone, string, RegExp]>([
    ['of the key that signs', { [NAME]: txt(`v=DKIM1; k=rsa; p=${p}`) }, 'ok', /2048 bits/],
    ['with the least that a record needs', { [NAME]: txt(`p=${p}`) }, 'ok', /2048 bits/],
    [
      'with spaces in the key',
      { [NAME]: txt(`v=DKIM1;p=${p.slice(0, 40)} ${p.slice(40)};`) },
      'ok',
      /2048/,
    ],
    ['in the form of RFC 6376', { [NAME]: txt(`p=${der(pair.publicKey, 'pkcs1')}`) }, 'ok', /2048/],
    ['missing', {}, 'fail', /no record/],
    ['twice', { [NAME]: txt(`p=${p}`, `p=${p}`) }, 'fail', /2 records/],
    ['of another key', { [NAME]: txt(`p=${der(rsa(2048).publicKey)}`) }, 'fail', /another key/],
    ['revoked', { [NAME]: txt('v=DKIM1; p=') }, 'fail', /revoked/],
    ['without a key', { [NAME]: txt('v=DKIM1; k=rsa') }, 'fail', /holds no key/],
    ['cut off', { [NAME]: txt(`p=${p.slice(0, 200)}`) }, 'fail', /cannot be read/],
    ['of another version', { [NAME]: txt(`v=DKIM2; p=${p}`) }, 'fail', /v=DKIM2/],
    [
      'of Ed25519',
      { [NAME]: txt('k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=') },
      'fail',
      /ed25519/,
    ],
    ['for SHA-1 alone', { [NAME]: txt(`h=sha1; p=${p}`) }, 'fail', /h=/],
    ['for something else than mail', { [NAME]: txt(`s=tlsrpt; p=${p}`) }, 'fail', /not for mail/],
    ['as a test', { [NAME]: txt(`t=s:y; p=${p}`) }, 'warn', /t=y/],
    ['not to be asked for', { [NAME]: 'silent' }, 'warn', /could not be asked/],
  ])('%s', async (_, zone, state, found) => {
    const own = { domain: FROM, selector: 'k1', key: pair.privateKey };
    const examined = await examineDkim(resolverOf(zone), own);
    expect(examined).toMatchObject({ id: 'dkim', state });
    expect(examined.found).toMatch(found);
    if (state === 'fail')
      expect(examined.fix).toMatch(/^Publish: k1\._domainkey\.news\.example\.com\. TXT "v=DKIM1/);
  });

  test('of 1024 bits fits, and is short', async () => {
    const own = { domain: FROM, selector: 'k1', key: short.privateKey };
    const zone = { [NAME]: txt(dkimRecord(short.privateKey)) };
    expect(await examineDkim(resolverOf(zone), own)).toMatchObject({ state: 'warn' });
  });

  test('of the relay only has to be there', async () => {
    const own = { domain: FROM, selector: 'k1' };
    const zone = { [NAME]: txt(`p=${der(rsa(2048).publicKey)}`) };
    expect(await examineDkim(resolverOf(zone), own)).toMatchObject({ state: 'ok' });
  });

  test('is printed so that what is pasted holds it, in strings of at most 255 characters', () => {
    const line = publish(NAME, dkimRecord(pair.privateKey));
    const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
    expect(strings.length).toBe(2);
    expect(Math.max(...strings.map(({ length }) => length))).toBeLessThanOrEqual(255);
    const read = readDkim(strings.join(''));
    expect('key' in read && read.key.equals(createPublicKey(pair.privateKey))).toBe(true);
  });
});

describe('D-36: DMARC by RFC 9989', () => {
  test.each([
    ['example.com', ['example.com', 'com']],
    ['a.b.example.com', ['a.b.example.com', 'b.example.com', 'example.com', 'com']],
    [
      'a.b.c.d.e.f.g.h.i.example.com',
      [
        'a.b.c.d.e.f.g.h.i.example.com',
        'e.f.g.h.i.example.com',
        'f.g.h.i.example.com',
        'g.h.i.example.com',
        'h.i.example.com',
        'i.example.com',
        'example.com',
        'com',
      ],
    ],
  ])('the names asked for %s, at most eight', (domain, names) => {
    expect(treeNames(domain)).toEqual(names);
    expect(names.length).toBeLessThanOrEqual(8);
  });

  test.each([
    ['v=DMARC1; p=none', true],
    ['v = DMARC1 ;p=reject', true],
    ['v=DMARC1', true],
    ['p=none; v=DMARC1', false],
    ['v=DMARC10; p=none', false],
    ['v=dmarc1; p=none', false],
    ['v=spf1 -all', false],
  ])('%s is a record: %s', (text, is) => {
    expect(readDmarc(text) !== null).toBe(is);
  });

  const D = (domain: string, ...records: string[]): Zone => ({
    [`_dmarc.${domain}`]: txt(...records),
  });
  test.each<[string, Zone, string, string | null]>([
    ['its own record', D(FROM, 'v=DMARC1; p=reject'), FROM, 'reject'],
    [
      'one above, for sub-domains',
      D('example.com', 'v=DMARC1; p=reject; sp=quarantine'),
      'example.com',
      'quarantine',
    ],
    ['one above, without sp', D('example.com', 'v=DMARC1; p=reject'), 'example.com', 'reject'],
    [
      'its own before one above, which is the organisation',
      { ...D(FROM, 'v=DMARC1; p=none'), ...D('example.com', 'v=DMARC1; p=reject') },
      'example.com',
      'none',
    ],
    [
      'psd=n makes it an organisation',
      { ...D(FROM, 'v=DMARC1; p=none; psd=n'), ...D('example.com', 'v=DMARC1; p=reject') },
      FROM,
      'none',
    ],
    [
      'psd=y above: the organisation is below it',
      D('com', 'v=DMARC1; p=none; psd=y'),
      'example.com',
      'none',
    ],
    ['two records: neither counts', D(FROM, 'v=DMARC1; p=none', 'v=DMARC1; p=reject'), FROM, null],
    [
      'a record without p asks for reports alone',
      D(FROM, 'v=DMARC1; rua=mailto:a@example.com'),
      FROM,
      'none',
    ],
    ['a word that is no policy', D(FROM, 'v=DMARC1; p=block'), FROM, null],
    ['no record', {}, FROM, null],
  ])('%s', async (_, zone, organisation, policy) => {
    const walk = await walkTree(resolverOf(zone), FROM);
    expect(organisationOf(walk)).toBe(organisation);
    expect(policyOf(walk)?.policy ?? null).toBe(policy);
  });

  test('as mailauth reads it, whatever stands where', async () => {
    const domain = 'a.b.c.example.com';
    const tags = (name: string, ...values: string[]) =>
      fc.constantFrom('', ...values.map((value) => `; ${name}=${value}`));
    const record = (...suffix: string[]) =>
      fc
        .tuple(
          tags('p', 'none', 'reject', 'Quarantine', 'block'),
          tags('sp', 'none', 'reject', 'block'),
          tags('rua', 'mailto:a@example.com'),
          tags('psd', 'n', 'u', ...suffix),
        )
        .map((parts) => `v=DMARC1${parts.join('')}`);
    const records = (...suffix: string[]) => fc.array(record(...suffix), { maxLength: 2 });
    // What a domain says of itself as a public suffix is not for us: nobody mails from one.
    const zones = fc.tuple(
      records(),
      ...treeNames(domain)
        .slice(1)
        .map(() => records('y')),
    );
    await fc.assert(
      fc.asyncProperty(zones, async (all) => {
        const names = treeNames(domain);
        const resolver = resolverOf(
          Object.assign({}, ...all.map((texts, at) => D(names[at] as string, ...texts))),
        );
        const walk = await walkTree(resolver, domain);
        const theirs = await discoverPolicy(
          domain,
          createRecordLookup((name: string) => resolver.resolveTxt(name)),
        );
        const policies = theirs.record ? getPolicyTags(theirs.record) : null;
        const inherited = theirs.recordDomain !== domain;
        const expected = inherited ? (policies?.sp ?? policies?.p) : policies?.p;
        expect(organisationOf(walk)).toBe(theirs.orgDomain);
        expect(policyOf(walk)?.domain ?? null).toBe(theirs.recordDomain);
        expect(policyOf(walk)?.policy ?? null).toBe(expected ?? null);
      }),
      { numRuns: 500 },
    );
  });

  const examined = async (zone: Zone, changes: Partial<Identities> = {}) => {
    const identities = { from: FROM, envelope: FROM, signature: FROM, relaySigns: false };
    const given = { ...identities, reportsTo: 'editor@news.example.com', ...changes };
    const [dmarc, alignment] = await examineDmarc(resolverOf(zone), given);
    return { dmarc, alignment };
  };

  test('where there is none, the record to publish stands at the highest domain of the mail, without pct', async () => {
    const { dmarc } = await examined({}, { signature: 'example.com', envelope: `b.${FROM}` });
    expect(dmarc).toMatchObject({
      state: 'fail',
      fix: 'Publish: _dmarc.example.com. TXT "v=DMARC1; p=none; rua=mailto:editor@news.example.com"',
    });
  });

  test('pct, rf and ri are left out of what is to be published', async () => {
    const { dmarc } = await examined(
      D('example.com', 'v=DMARC1; p=quarantine; pct=20; ri=3600; rua=mailto:a@example.com'),
    );
    expect(dmarc).toMatchObject({
      state: 'warn',
      found:
        '_dmarc.example.com asks receivers for "quarantine"; pct, ri mean nothing since RFC 9989',
      fix: 'Publish: _dmarc.example.com. TXT "v=DMARC1; p=quarantine; rua=mailto:a@example.com"',
    });
  });

  test('a silent name server is not taken for an answer', async () => {
    const { dmarc, alignment } = await examined(
      { '_dmarc.example.com': 'silent' },
      { envelope: 'bounce.example.com' },
    );
    expect(dmarc).toMatchObject({
      state: 'warn',
      found: expect.stringMatching(/^could not be asked/),
    });
    expect(alignment).toMatchObject({ state: 'warn' });
  });

  const above = D('example.com', 'v=DMARC1; p=none');
  test.each<[string, Zone, Partial<Identities>, string]>([
    ['both equal', above, {}, 'ok'],
    ['siblings of one organisation', above, { envelope: 'bounce.example.com' }, 'ok'],
    ['a domain above', above, { signature: 'example.com' }, 'ok'],
    ['without any record one below the other', {}, { signature: 'example.com' }, 'ok'],
    ['the return path is elsewhere', above, { envelope: 'relay.example' }, 'warn'],
    [
      'both are elsewhere',
      above,
      { envelope: 'relay.example', signature: 'relay.example' },
      'fail',
    ],
    [
      'strict for SPF',
      D('example.com', 'v=DMARC1; p=none; aspf=s'),
      { envelope: 'bounce.example.com' },
      'warn',
    ],
    ['nobody signs, SPF fits', above, { signature: undefined }, 'ok'],
    [
      'nobody signs, SPF does not fit',
      above,
      { signature: undefined, envelope: 'relay.example' },
      'fail',
    ],
    [
      'the relay signs as somebody',
      above,
      { signature: undefined, relaySigns: true, envelope: 'relay.example' },
      'warn',
    ],
  ])('D-35: alignment: %s', async (_, zone, changes, state) => {
    expect((await examined(zone, changes)).alignment?.state).toBe(state);
  });
});

describe('D-34: a domain that answers and reports go to', () => {
  test.each<[string, Zone, string]>([
    ['has an MX', { [FROM]: { MX: ['mx.example.com'] } }, 'ok'],
    ['has an address alone (RFC 5321 5.1)', { [FROM]: { AAAA: ['2001:db8::1'] } }, 'ok'],
    ['has a null MX (RFC 7505)', { [FROM]: { MX: [''], A: ['192.0.2.1'] } }, 'fail'],
    ['has neither', { [FROM]: {} }, 'fail'],
    ['cannot be asked for', { [FROM]: 'silent' }, 'warn'],
  ])('%s', async (_, zone, state) => {
    expect(await examineMx(resolverOf(zone), FROM)).toMatchObject({ id: 'mx', state });
  });

  test.each<[string, Zone, string]>([
    ['of its own', { [FROM]: { SOA: true } }, 'ok'],
    ['above', { 'example.com': { SOA: true } }, 'ok'],
    ['of the top alone', { com: { SOA: true } }, 'fail'],
    ['that cannot be asked for', { 'example.com': 'silent' }, 'warn'],
  ])('lies in a zone %s', async (_, zone, state) => {
    expect(await examineSoa(resolverOf(zone), FROM)).toMatchObject({ id: 'soa', state });
  });
});
