/** `doctor` on real parts: a database, SMTP servers, a TLS server; the DNS alone is made up. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { dkimRecord } from '../../src/check/dns/dkim.ts';
import type { Settings } from '../../src/config/settings.ts';
import { inputError } from '../../src/errors.ts';
import { examine, unreadable } from '../../src/newsletter/doctor.ts';
import { examineDatabase } from '../../src/newsletter/examine-database.ts';
import { examineRelay } from '../../src/newsletter/examine-relay.ts';
import { examineSite } from '../../src/newsletter/examine-site.ts';
import { adopt } from '../../src/newsletter/installation.ts';
import { personalAccountOf } from '../../src/newsletter/personal-account.ts';
import { addReaders } from '../support/campaign.ts';
import { openTestNewsletter, RING, temporaryDirectory } from '../support/newsletter.ts';
import { startReceiver } from '../support/receiver.ts';
import { resolverOf, type Zone } from '../support/zone.ts';

/** Reaches this machine, but is no address of loopback: TLS is demanded. */
const ELSEWHERE = '0.0.0.0';
const SITE = 'weekly.mailer.org';
const DAY = 86_400_000;

let key: Buffer;
let cert: Buffer;
/** When the certificate ends, ms. */
let end: number;
beforeAll(() => {
  const dir = temporaryDirectory();
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '90', '-subj', '/O=Own Authority']
      .concat(['-addext', `subjectAltName=IP:${ELSEWHERE},DNS:${SITE}`])
      .concat(['-keyout', keyFile, '-out', certFile]),
    { stdio: 'ignore' },
  );
  key = readFileSync(keyFile);
  cert = readFileSync(certFile);
  end = Date.now() + 90 * DAY;
});

async function startRelay(options: SMTPServerOptions = {}) {
  const relay = { url: '', mails: 0 };
  const server = new SMTPServer({
    key,
    cert,
    size: 10_000_000,
    authOptional: true,
    onAuth: ({ password }, _, done) =>
      password === 'secret' ? done(null, { user: 'x' }) : done(new Error('wrong password')),
    onMailFrom: (_, __, done) => {
      relay.mails += 1;
      done();
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(0, '0.0.0.0', done));
  onTestFinished(() => new Promise((done) => server.close(done)));
  relay.url = `smtp://user:secret@${ELSEWHERE}:${(server.server.address() as AddressInfo).port}`;
  return relay;
}

describe('the relay', () => {
  test('D-40, D-43: is greeted, encrypted, logged in to and left, and gets no mail', async () => {
    const relay = await startRelay();
    const found = await examineRelay({ url: relay.url, ca: cert.toString() });
    expect(found).toMatchObject({ id: 'relay', state: 'ok', fix: null });
    expect(found.found).toMatch(/^TLSv1\.\d, login accepted, PIPELINING, 8BITMIME, SIZE 10000000/);
    expect(found.found).toContain('PTR and EHLO name of its addresses are its duty');
    expect(relay.mails).toBe(0);
  });

  test('says goodbye, and nothing but that', async () => {
    const receiver = await startReceiver();
    await examineRelay({ url: receiver.url });
    expect(receiver.commands.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'QUIT']);
  });

  test.each<[string, (relay: string) => string, RegExp]>([
    [
      'the password is wrong',
      (url) => url.replace('secret', 'wrong'),
      /login-refused: 535 wrong password/,
    ],
    ['nobody listens', () => 'smtp://user:secret@127.0.0.1:1', /ECONNREFUSED/],
    [
      'it speaks TLS from the start',
      (url) => url.replace('smtp:', 'smtps:'),
      /relay-unreachable.*wrong version/,
    ],
  ])('fails where %s, and shows no password', async (_, change, words) => {
    const relay = await startRelay();
    const found = await examineRelay({ url: change(relay.url), ca: cert.toString() });
    expect(found.state).toBe('fail');
    expect(found.found).toMatch(words);
    expect(JSON.stringify(found)).not.toMatch(/secret|wrong@|user:/);
  });

  test('fails where nobody vouches for its certificate', async () => {
    const found = await examineRelay({ url: (await startRelay()).url });
    expect(found).toMatchObject({ state: 'fail', found: expect.stringMatching(/certificate/) });
  });

  test('D-43: a server without login is taken for one of the readers’, which is not supported', async () => {
    const relay = await startRelay();
    const url = relay.url.replace('user:secret@', '');
    const found = await examineRelay({ url, ca: cert.toString() });
    expect(found).toMatchObject({ state: 'warn', fix: expect.stringMatching(/not supported/) });
  });

  test('warns where mails cannot be pipelined', async () => {
    const receiver = await startReceiver((step) => (step === 'ehlo' ? '250 receiver' : undefined));
    expect(await examineRelay({ url: receiver.url })).toMatchObject({ state: 'warn' });
  });
});

describe('D-34: the site', () => {
  async function startSite(): Promise<string> {
    const server = createServer({ key, cert }, (socket) => socket.on('error', () => {}));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    return `https://${SITE}:${(server.address() as AddressInfo).port}`;
  }
  const zone: Zone = { [SITE]: { A: ['127.0.0.1'] }, 'other.mailer.org': { A: ['127.0.0.1'] } };
  const states = (found: { id: string; state: string }[]) =>
    found.map(({ id, state }) => `${id} ${state}`);

  test.each<[string, number, string, RegExp]>([
    ['holds', 60 * DAY, 'ok', /^By Own Authority, until .*: (59|60) days$/],
    ['ends within two weeks', 13 * DAY, 'warn', /: 1[23] days$/],
    ['has ended', -2 * DAY, 'fail', /^It ended on 20/],
  ])('whose certificate %s', async (_, left, state, words) => {
    const tools = { resolver: resolverOf(zone), ca: cert.toString(), now: end - left };
    const found = await examineSite(await startSite(), tools);
    expect(states(found)).toEqual(['site ok', `certificate ${state}`]);
    expect(found[1]?.found).toMatch(words);
  });

  test('whose certificate is of nobody who is trusted, or for another name', async () => {
    const url = await startSite();
    const tools = { resolver: resolverOf(zone), now: end - 60 * DAY };
    const [, untrusted] = await examineSite(url, tools);
    expect(untrusted).toMatchObject({ state: 'fail', found: expect.stringMatching(/not trust/) });
    const other = url.replace('weekly', 'other');
    const [, misnamed] = await examineSite(other, { ...tools, ca: cert.toString() });
    expect(misnamed).toMatchObject({ state: 'fail', found: 'It is for another name' });
  });

  test.each<[string, string, Zone, string[]]>([
    ['that nobody reaches', 'http://localhost:8080', {}, ['site warn']],
    ['without address', `https://${SITE}`, {}, ['site fail']],
    ['that cannot be asked for', `https://${SITE}`, { [SITE]: 'silent' }, ['site warn']],
    ['where nothing listens', `https://${SITE}:1`, zone, ['site ok', 'certificate fail']],
  ])('%s', async (_, url, known, expected) => {
    const found = await examineSite(url, { resolver: resolverOf(known), now: end });
    expect(states(found)).toEqual(expected);
  });
});

const FROM = 'news.example.com';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** All that news.example.com has to publish. */
const GOOD: Zone = {
  [FROM]: { TXT: ['v=spf1 a:relay.example.com -all'], MX: ['mx.example.com'], SOA: true },
  [`k1._domainkey.${FROM}`]: { TXT: [dkimRecord(createPublicKey(privateKey))] },
  [`_dmarc.${FROM}`]: { TXT: ['v=DMARC1; p=none'] },
};

const ready = (settings: Settings): Settings => ({
  ...settings,
  site: { ...settings.site, url: `https://${SITE}` },
  delivery: { ...settings.delivery, channel: 'smtp' },
  dkim: { signer: 'broadsheet', domain: FROM, selector: 'k1' },
});

async function patientWith(smtpUrl: string, settings = ready) {
  const patient = await openTestNewsletter({ settings });
  patient.secrets = { ...patient.secrets, smtpUrl, keys: RING, dkimKey: PEM };
  return patient;
}

describe('examine', () => {
  test('D-34, D-35, D-36: says of each thing how it is, in one order, and sends nothing', async () => {
    const receiver = await startReceiver();
    const patient = await patientWith(receiver.url);
    const steps: number[] = [];
    const resolver = resolverOf({ ...GOOD, [SITE]: 'silent' });
    const found = await examine(patient, { resolver }, (done) => steps.push(done));
    expect(found.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'settings ok',
      'channel ok',
      'database ok',
      'home ok',
      'relay ok',
      'spf ok',
      'dkim ok',
      'dmarc ok',
      'alignment ok',
      'mx ok',
      'soa ok',
      'site warn',
    ]);
    expect(receiver.mails).toEqual([]);
    expect(steps.at(-1)).toBe(5);
    for (const each of found)
      expect(Object.keys(each)).toEqual(['id', 'state', 'subject', 'found', 'fix']);
  });

  test('a DNS that does not answer is never well, and nothing fails for it', async () => {
    const { url } = await startReceiver();
    const patient = await patientWith(url);
    const refused = () => Promise.reject(Object.assign(new Error(), { code: 'ECONNREFUSED' }));
    const names = ['resolveTxt', 'resolveMx', 'resolve4', 'resolve6', 'resolveSoa'];
    const resolver = Object.fromEntries(names.map((name) => [name, refused])) as never;
    const found = await examine(patient, { resolver });
    const unasked = found.filter((each) => each.found.includes('could not be asked'));
    expect(unasked.map(({ id }) => id)).toEqual(['spf', 'dkim', 'dmarc', 'mx', 'soa', 'site']);
    expect(new Set(unasked.map(({ state }) => state))).toEqual(new Set(['warn']));
    expect(found.filter(({ state }) => state === 'fail')).toEqual([]);
  });

  test('with the outbox the relay is left alone, and nothing outside fails', async () => {
    const receiver = await startReceiver();
    const outbox = (settings: Settings): Settings => ({
      ...settings,
      delivery: { ...settings.delivery, channel: 'outbox' },
    });
    const patient = await patientWith(receiver.url, outbox);
    const found = await examine(patient, { resolver: resolverOf({}) });
    expect(receiver.connections).toBe(0);
    expect(found.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(found.find(({ id }) => id === 'spf')).toMatchObject({
      state: 'warn',
      fix: expect.stringMatching(/^Publish: news\.example\.com\. TXT/),
    });
  });

  test('D-13: smtp without what it needs fails', async () => {
    const { url } = await startReceiver();
    const patient = await patientWith(url);
    const { keys: _, dkimKey: __, ...secrets } = patient.secrets;
    const found = await examine({ ...patient, secrets }, { resolver: resolverOf(GOOD) });
    expect(found.find(({ id }) => id === 'channel')).toMatchObject({
      state: 'fail',
      found: expect.stringMatching(/SECRET_KEYS must be set/),
    });
    expect(found.find(({ id }) => id === 'dkim')).toMatchObject({
      state: 'fail',
      fix: expect.stringMatching(/DKIM_PRIVATE_KEY/),
    });
  });

  test('a database that another installation sends from, until it is adopted', async () => {
    const patient = await openTestNewsletter();
    const { slug: newsletter } = patient.settings;
    const home = { newsletter, instance: 'another one', since: 0 };
    await patient.db.insertInto('installations').values(home).execute();
    const look = async () => {
      const found = await examine(patient, { resolver: resolverOf({}) });
      return found.find(({ id }) => id === 'home');
    };
    expect(await look()).toMatchObject({
      state: 'fail',
      fix: expect.stringMatching(/broadsheet schedule adopt/),
    });
    await adopt(patient);
    expect(await look()).toMatchObject({ state: 'ok', found: 'This installation' });
  });

  test('a database that cannot be opened fails, and the rest is looked at all the same', async () => {
    const patient = await openTestNewsletter();
    const databaseUrl = `sqlite:${join(patient.dir, 'config', 'newsletter.yaml')}`;
    const found = await examine(
      { ...patient, secrets: { databaseUrl } },
      { resolver: resolverOf({}) },
    );
    expect(found.find(({ id }) => id === 'database')).toMatchObject({ state: 'fail' });
    expect(found.map(({ id }) => id)).toContain('spf');
  });

  test('makes no database where there is none', async () => {
    const patient = await openTestNewsletter();
    const stateDir = join(patient.dir, 'elsewhere');
    const found = await examine(
      { ...patient, stateDir, secrets: {} },
      { resolver: resolverOf({}) },
    );
    expect(found.find(({ id }) => id === 'database')).toMatchObject({ state: 'ok' });
    expect(existsSync(stateDir)).toBe(false);
  });
});

test('settings that cannot be read are findings, each with its place; a wrong directory is not', () => {
  const place = { file: 'config/newsletter.yaml', line: 3, column: 7, hint: 'Write en.' };
  expect(unreadable(inputError('settings-invalid', 'language must be a tag', place))).toEqual([
    {
      id: 'settings',
      state: 'fail',
      subject: 'Settings config/newsletter.yaml:3:7',
      found: 'language must be a tag',
      fix: 'Write en.',
    },
  ]);
  expect(() => unreadable(inputError('settings-missing', 'no newsletter'))).toThrow(
    'no newsletter',
  );
});

describe('D-49: a personal account at QQ or NetEase', () => {
  const mailing =
    (address: string) =>
    (settings: Settings): Settings => ({
      ...ready(settings),
      sender: { ...settings.sender, address },
    });

  test.each<[string, string, number, string | undefined, boolean]>([
    ['has its own address', 'smtps://weekly%40qq.com:x@smtp.qq.com', 50, 'weekly@qq.com', false],
    ['may log in by its number', 'smtps://12345:x@smtp.qq.com', 51, '12345@qq.com', true],
    ['is one at 163 and 126', 'smtps://weekly:x@smtp.126.com', 0, 'weekly@126.com', false],
    ['is no relay for lists', 'smtps://weekly:x@smtpdm.aliyun.com', 51, undefined, false],
  ])('%s', async (_, url, readers, address, hasMany) => {
    const patient = await patientWith(url);
    await addReaders(patient.db, readers, 1, patient.settings.slug);
    const account = await personalAccountOf(patient);
    expect(account).toEqual(address && { host: new URL(url).hostname, address, hasMany });
  });

  test('of another sender and with a long list: two warnings', async () => {
    const patient = await patientWith('smtps://weekly:x@smtp.qq.com', mailing('news@example.com'));
    await addReaders(patient.db, 51, 1, patient.settings.slug);
    const found = await examineDatabase(patient);
    const own = found.filter(({ id }) => id === 'personal-account');
    expect(own.map(({ state, found: words }) => `${state} ${words}`)).toEqual([
      'warn smtp.qq.com mails from weekly@qq.com alone, the sender is news@example.com',
      'warn smtp.qq.com is for personal mail, the list has more than 50 readers',
    ]);
  });

  test('as its own sender, with a short list, needs the authorisation code', async () => {
    const patient = await patientWith('smtps://weekly:x@smtp.163.com', mailing('Weekly@163.com'));
    const found = await examineDatabase(patient);
    expect(found.at(-1)).toMatchObject({ id: 'personal-account', state: 'ok' });
    expect(found.at(-1)?.found).toContain('授权码');
  });
});
