/** Pictures beside issue.md: made fit once, named by their hash, frozen with the edition, public before a send. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BroadsheetError } from '../../src/errors.ts';
import { approve } from '../../src/newsletter/approve.ts';
import { readAsset } from '../../src/newsletter/assets.ts';
import { compose } from '../../src/newsletter/compose.ts';
import { preview } from '../../src/newsletter/preview.ts';
import { requirePublicPictures } from '../../src/newsletter/public-pictures.ts';
import { prepareCampaign } from '../../src/newsletter/send.ts';
import { fitPicture } from '../../src/render/picture.ts';
import { attribute, tagsOf } from '../render/mail.ts';
import {
  openTestNewsletter,
  type TestNewsletter,
  temporaryDirectory,
  writeIssue,
} from '../support/newsletter.ts';

const ID = '2026-11-w4';
const FILE = `issues/${ID}/issue.md`;
let newsletter: TestNewsletter;
let folder: string;

beforeEach(async () => {
  newsletter = await openTestNewsletter();
  folder = join(newsletter.dir, 'issues', ID);
});

const chart = (width = 1800, height = 900, red = 200): Sharp =>
  sharp({ create: { width, height, channels: 3, background: { r: red, g: 90, b: 40 } } });
/** Every pixel another: nothing packs it well. */
function noise(width: number, height: number): Sharp {
  let state = 1;
  const bytes = Buffer.alloc(width * height * 3);
  for (let at = 0; at < bytes.length; at += 1) {
    state = (state * 48_271) % 2_147_483_647;
    bytes[at] = state & 255;
  }
  return sharp(bytes, { raw: { width, height, channels: 3 } });
}

function write(markdown: string): void {
  writeIssue(newsletter.dir, ID, { body: markdown });
}

async function withChart(picture = chart()): Promise<void> {
  write('Words.\n\n![A chart](chart.png)');
  writeFileSync(join(folder, 'chart.png'), await picture.png().toBuffer());
}

const image = async () => {
  const { html } = await preview(newsletter, ID);
  const [found] = tagsOf(html, 'img');
  return (name: string) => found && attribute(found, name);
};

describe('H-13: a picture beside the issue', () => {
  test('has alt, width and height, is shown in the column, and is kept at twice its width', async () => {
    await withChart();
    const of = await image();
    expect([of('alt'), of('width'), of('height')]).toEqual(['A chart', '560', '280']);
    const name = /^https:\/\/news\.example\.com\/assets\/([0-9a-f]{32}\.png)$/.exec(
      of('src') ?? '',
    );
    const asset = readAsset(newsletter, name?.[1] ?? '');
    expect(await sharp(asset?.bytes).metadata()).toMatchObject({ width: 1200, height: 600 });
  });

  test('is named in the text part with the same address', async () => {
    await withChart();
    const of = await image();
    expect((await preview(newsletter, ID)).text).toContain(`[A chart] ${of('src')}`);
  });

  test('that is small is not enlarged', async () => {
    await withChart(chart(300, 100));
    const of = await image();
    expect([of('width'), of('height')]).toEqual(['300', '100']);
  });

  test('may have a name in any script, and lie in a folder of the folder', async () => {
    write('![图](图表/本周 1.png)'.replace(' ', '%20'));
    mkdirSync(join(folder, '图表'));
    writeFileSync(join(folder, '图表/本周 1.png'), await chart().png().toBuffer());
    expect((await image())('src')).toContain('/assets/');
  });

  test('is made once: what has been made is not made again', async () => {
    await withChart();
    await compose(newsletter, ID, 0);
    const assets = join(newsletter.stateDir, 'assets');
    const made = () => readdirSync(assets).map((name) => statSync(join(assets, name)).mtimeMs);
    const before = [readdirSync(assets), made()];
    await compose(newsletter, ID, 0);
    expect([readdirSync(assets), made()]).toEqual(before);
    expect(before[0]).toHaveLength(2);
  });

  test('goes by the base address of the settings where there is one', async () => {
    await withChart();
    const site = { ...newsletter.settings.site, assetBaseUrl: 'https://cdn.example.net/p/' };
    newsletter.settings = { ...newsletter.settings, site };
    expect((await image())('src')).toMatch(/^https:\/\/cdn\.example\.net\/p\/[0-9a-f]{32}\.png$/);
  });
});

describe('what comes in as', () => {
  test.each([
    ['png', chart().png(), 'png'],
    ['gif', chart().gif(), 'png'],
    ['jpeg', chart().jpeg(), 'jpg'],
    ['webp', chart().webp(), 'jpg'],
  ] as const)('%s goes out in a format that Outlook shows', async (_, source, ending) => {
    expect(await fitPicture(await source.toBuffer())).toMatchObject({ ending, width: 1200 });
  });

  test('a transparent WebP keeps its transparency', async () => {
    const see = { r: 0, g: 0, b: 0, alpha: 0.2 };
    const source = sharp({ create: { width: 20, height: 20, channels: 4, background: see } });
    const picture = await fitPicture(await source.webp().toBuffer());
    if (typeof picture === 'string') throw new Error(picture);
    expect((await sharp(picture.bytes).metadata()).hasAlpha).toBe(true);
  });

  test('a heavy one stays below 1 MB', async () => {
    const picture = await fitPicture(await noise(1300, 1300).png().toBuffer());
    if (typeof picture === 'string') throw new Error(picture);
    expect(picture.bytes.length).toBeLessThan(1_000_000);
    expect(picture.ending).toBe('jpg');
  });

  test('a photograph loses its place and camera, and stands upright', async () => {
    const exif = { IFD0: { Model: 'Spycam' }, IFD3: { GPSLatitude: '48/1 8/1 0/1' } };
    const source = await chart(400, 200)
      .withExif(exif)
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const picture = await fitPicture(source);
    if (typeof picture === 'string') throw new Error(picture);
    expect([picture.width, picture.height]).toEqual([200, 400]);
    expect(await sharp(picture.bytes).metadata()).not.toHaveProperty('exif');
    expect(picture.bytes.toString('latin1')).not.toContain('Spycam');
  });

  test('the same bytes give the same picture', async () => {
    const source = await noise(300, 300).jpeg().toBuffer();
    expect(await fitPicture(source)).toEqual(await fitPicture(source));
  });
});

describe('is an error with file and line: a picture that', () => {
  const refused = (words: RegExp, code = 'picture-invalid') =>
    expect.objectContaining({
      kind: 'input',
      code,
      problems: [
        expect.objectContaining({ file: FILE, line: 11, message: expect.stringMatching(words) }),
      ],
    });

  test('is missing', async () => {
    write('![A chart](chart.png)');
    await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/no such file/));
  });

  test('is none', async () => {
    write('![A chart](chart.png)');
    writeFileSync(join(folder, 'chart.png'), 'words');
    await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/cannot be read/));
  });

  test('is a drawing with scripts', async () => {
    write('![A chart](chart.svg)');
    writeFileSync(
      join(folder, 'chart.svg'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    );
    await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/no PNG, JPEG, GIF or WebP/));
  });

  test('has more pixels than anybody prints', async () => {
    write('![A chart](chart.png)');
    writeFileSync(join(folder, 'chart.png'), await chart(9000, 9000).png().toBuffer());
    await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/pixel limit/));
  });

  test.each(['../secret.png', 'a/../../secret.png', '..%2Fsecret.png', '%2e%2e/secret.png'])(
    'lies outside the folder: %s',
    async (path) => {
      write(`![A chart](${path})`);
      writeFileSync(join(newsletter.dir, 'issues/secret.png'), await chart().png().toBuffer());
      await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/outside/, 'issue-invalid'));
    },
  );

  test('is a link that leads out of the folder', async () => {
    write('![A chart](chart.png)');
    const secret = join(newsletter.dir, 'secret.png');
    writeFileSync(secret, await chart().png().toBuffer());
    symlinkSync(secret, join(folder, 'chart.png'));
    await expect(compose(newsletter, ID, 0)).rejects.toEqual(refused(/outside/));
  });

  test('makes all of them together heavier than 2 MB', async () => {
    const names = ['a.png', 'b.png', 'c.png'];
    write(names.map((name) => `![A chart](${name})`).join('\n'));
    // Just what still fits as a PNG by itself.
    for (const [at, name] of names.entries())
      writeFileSync(
        join(folder, name),
        await noise(560 + at, 560)
          .png()
          .toBuffer(),
      );
    await expect(compose(newsletter, ID, 0)).rejects.toMatchObject({
      problems: [
        { file: FILE, line: 13, message: expect.stringMatching(/together weigh 28\d{5} bytes/) },
      ],
    });
  });
});

test('an approval covers the pictures: another one under the same name withdraws it', async () => {
  await withChart();
  await approve(newsletter, ID);
  expect((await compose(newsletter, ID, 0)).approved).toBe(true);
  writeFileSync(join(folder, 'chart.png'), await chart(1800, 900, 201).png().toBuffer());
  expect((await compose(newsletter, ID, 0)).approved).toBe(false);
});

test('an issue without pictures does not load sharp', () => {
  const script = `await import('./src/newsletter/compose.ts');
    const { sharedObjects } = process.report.getReport();
    console.log(sharedObjects.filter((file) => file.includes('sharp')).length);`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../..'),
  });
  expect(out.toString().trim()).toBe('0');
});

describe('before a campaign over SMTP', () => {
  let key: Buffer;
  let cert: Buffer;
  beforeAll(() => {
    const dir = temporaryDirectory();
    const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject].concat([
        '-keyout',
        keyFile,
        '-out',
        certFile,
      ]),
      { stdio: 'ignore' },
    );
    [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  });
  afterEach(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });

  /** A web host with our pictures; the mail refers to it. */
  async function host(answer: RequestListener): Promise<void> {
    // The certificate is of the test's own making; that it is checked otherwise is Node's doing.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const server = createServer({ key, cert }, answer);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const assetBaseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const site = { ...newsletter.settings.site, assetBaseUrl };
    newsletter.settings = { ...newsletter.settings, site };
    await withChart();
  }

  const check = async (isForbidden = (address: string) => address !== '127.0.0.1') =>
    requirePublicPictures(newsletter, await compose(newsletter, ID, 0), { isForbidden });
  const own: RequestListener = (request, response) => {
    const asset = readAsset(newsletter, (request.url ?? '').slice(1));
    response.writeHead(200, { 'Content-Type': asset?.type }).end(asset?.bytes);
  };

  test('a picture that answers with our bytes and its type is public', async () => {
    await host(own);
    await expect(check()).resolves.toBeUndefined();
  });

  test.each<[string, RequestListener, RegExp]>([
    ['is not there', (_, response) => response.writeHead(404).end(), /answers 404/],
    [
      'is a page',
      (_, r) => r.writeHead(200, { 'Content-Type': 'text/html' }).end('x'),
      /text\/html/,
    ],
    [
      'is of another type',
      (_, r) => r.writeHead(200, { 'Content-Type': 'image/webp' }).end('x'),
      /image\/webp instead of image\/png/,
    ],
    [
      'has another length',
      (_, r) => r.writeHead(200, { 'Content-Type': 'image/png' }).end('x'),
      /1 other bytes/,
    ],
  ])('one that %s is named, and stops it', async (_, answer, words) => {
    await host(answer);
    const error = await check().catch((caught) => caught);
    expect(error).toBeInstanceOf(BroadsheetError);
    expect(error.code).toBe('pictures-not-public');
    expect(error.problems[0]).toMatchObject({
      file: FILE,
      line: 13,
      message: expect.stringMatching(words),
    });
    expect(error.problems[0].message).toContain('chart.png https://127.0.0.1');
  });

  test('one in our own network is not public, though it answers', async () => {
    await host(own);
    const smtp = { ...newsletter.settings.delivery, channel: 'smtp' as const };
    newsletter.settings = { ...newsletter.settings, delivery: smtp };
    await approve(newsletter, ID);
    await expect(prepareCampaign(newsletter, { issue: ID })).rejects.toMatchObject({
      kind: 'blocked',
      code: 'pictures-not-public',
      message: expect.stringMatching(/chart\.png.*private network/),
    });
  });
});
