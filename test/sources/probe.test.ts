import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { probe } from '../../src/sources/probe.ts';

async function serve(answer: RequestListener) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Tests may talk to their own server; to nothing else that is private. */
const own = { isForbidden: (address: string) => address !== '127.0.0.1' };

describe('H-27: a link is asked', () => {
  test('with HEAD, and gives status, type and bytes without a body', async () => {
    const { url, seen } = await serve((_, response) =>
      response.writeHead(200, { 'Content-Type': 'Image/PNG; q=1', 'Content-Length': 1234 }).end(),
    );
    expect(await probe(`${url}/a`, own)).toMatchObject({
      status: 200,
      type: 'image/png',
      bytes: 1234,
      hops: [`${url}/a`],
    });
    expect(seen).toEqual(['HEAD /a']);
  });

  test('with GET where HEAD is refused; only that answer counts', async () => {
    const { url, seen } = await serve((request, response) =>
      response.writeHead(request.method === 'HEAD' ? 405 : 200).end('words'),
    );
    expect(await probe(`${url}/a`, own)).toMatchObject({ status: 200 });
    expect(seen).toEqual(['HEAD /a', 'GET /a']);
  });

  test('through its redirects, which are shown', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/old') response.writeHead(301, { Location: '/new' }).end();
      else response.writeHead(404).end();
    });
    expect(await probe(`${url}/old`, own)).toMatchObject({
      status: 404,
      url: `${url}/new`,
      hops: [`${url}/old`, `${url}/new`],
    });
  });

  test('not for ever', async () => {
    const { url } = await serve((_, response) => response.writeHead(302, { Location: '/' }).end());
    expect((await probe(url, own)).problem).toMatch(/more than 5 times/);
  });

  test('never in a private network, neither at once nor by a redirect or a name', async () => {
    const { url, seen } = await serve((_, response) =>
      response.writeHead(302, { Location: 'http://10.0.0.1/' }).end(),
    );
    expect(await probe(url)).toMatchObject({
      status: null,
      problem: expect.stringMatching(/private network/),
    });
    expect(seen).toEqual([]);
    expect((await probe(url, own)).problem).toMatch(/private network/);
    const resolve = ((_host, _options, done) => done(null, '192.168.1.1', 4)) as LookupFunction;
    expect((await probe('http://news.example.com/', { resolve })).problem).toMatch(
      /private network/,
    );
  });

  test('and what does not answer is told in words', async () => {
    const resolve = ((_host, _options, done) =>
      done(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), '', 4)) as LookupFunction;
    expect(await probe('http://news.example.com/', { resolve })).toMatchObject({
      status: null,
      problem: 'has a name that does not exist',
    });
  });
});
