import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { download } from '../../src/sources/download.ts';

/** A server on loopback, and how often it was asked. */
async function serve(answer: RequestListener) {
  const seen = { hits: 0, url: '' };
  const server = createServer((request, response) => {
    seen.hits += 1;
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  seen.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return seen;
}

/** Tests may talk to their own server; to nothing else that is private. */
const own = { isForbidden: (address: string) => address !== '127.0.0.1' };
const refused = (words: RegExp) =>
  expect.objectContaining({
    kind: 'input',
    code: 'download-refused',
    message: expect.stringMatching(words),
  });

describe('a download', () => {
  test('gives the bytes, unpacked, and follows where it is led', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { Location: '/feed' }).end();
      else response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('words'));
    });
    expect((await download(`${server.url}/`, own)).toString()).toBe('words');
    expect(server.hits).toBe(2);
  });

  test.each([
    [
      'an error',
      (async (_, response) => response.writeHead(404).end()) as RequestListener,
      /answers 404/,
    ],
    [
      'a circle',
      ((_, response) => response.writeHead(302, { Location: '/' }).end()) as RequestListener,
      /more than 5 times/,
    ],
    [
      'too much',
      ((_, response) => response.end(Buffer.alloc(6 * 1024 * 1024))) as RequestListener,
      /larger than 5 MB/,
    ],
    [
      'a small file that unpacks to too much',
      ((_, response) =>
        response
          .writeHead(200, { 'Content-Encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(50 * 1024 * 1024)))) as RequestListener,
      /larger than 5 MB/,
    ],
    [
      'rubbish that says it is packed',
      ((_, response) =>
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('rubbish')) as RequestListener,
      /cannot be reached/,
    ],
    [
      'a way into our own network',
      ((_, response) =>
        response.writeHead(302, { Location: 'http://10.0.0.1/' }).end()) as RequestListener,
      /private network/,
    ],
    [
      'a way to a file',
      ((_, response) =>
        response.writeHead(302, { Location: 'file:///etc/passwd' }).end()) as RequestListener,
      /no http or https/,
    ],
  ])('that meets %s is refused', async (_, answer, words) => {
    const server = await serve(answer);
    await expect(download(`${server.url}/`, own)).rejects.toEqual(refused(words));
  });
});

describe('our own network', () => {
  test.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.1.2.3/',
    'http://100.64.0.1/',
    'http://192.168.1.1/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://[64:ff9b::7f00:1]/',
    'https://user:secret@example.com/',
    'http://example.com:22/',
    'ftp://example.com/',
    'http://',
  ])('%s is not asked', async (url) => {
    await expect(download(url)).rejects.toMatchObject({ kind: 'input', code: 'download-refused' });
  });

  test('is not asked by a name that resolves to it, and the address that was checked is the one that is asked', async () => {
    const server = await serve((_, response) => response.end('secret'));
    const answers = ['93.184.215.14', '127.0.0.1'];
    let asked = 0;
    const rebinding: LookupFunction = (_, options, done) => {
      const address = answers[Math.min(asked, 1)] as string;
      asked += 1;
      if (options.all) done(null, [{ address, family: 4 }] as never, 4);
      else done(null, address, 4);
    };
    asked = 1;
    await expect(download('http://feed.example/', { resolve: rebinding })).rejects.toEqual(
      refused(/private network/),
    );
    expect(server.hits).toBe(0);
  });

  test('no password of an address stands in the error', async () => {
    await expect(download('https://user:hunter2@example.com/')).rejects.toMatchObject({
      message: expect.not.stringContaining('hunter2'),
    });
  });
});
