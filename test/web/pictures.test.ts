/** The studio shows the pictures of an issue before anything is public, and the frame lets nothing else in. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { preview } from '../../src/newsletter/preview.ts';
import { studioServer } from '../../src/web/studio/server.ts';
import { attribute, tagsOf } from '../render/mail.ts';
import { openTestNewsletter, writeIssue } from '../support/newsletter.ts';

test('the preview shows pictures from this machine; the mail itself refers to their public address', async () => {
  const newsletter = await openTestNewsletter();
  writeIssue(newsletter.dir, 'w1', { body: '![A chart](chart.png)' });
  const chart = sharp({ create: { width: 90, height: 30, channels: 3, background: '#a6211b' } });
  writeFileSync(join(newsletter.dir, 'issues/w1/chart.png'), await chart.png().toBuffer());
  const { app, token, close } = await studioServer(newsletter);
  onTestFinished(() => close());
  const headers = { host: 'localhost', cookie: `broadsheet-studio=${token}` };
  const mail = await app.inject({ url: '/mail/w1', headers });
  const [image] = tagsOf(mail.body, 'img');
  const src = attribute(image as never, 'src') ?? '';
  expect(src).toMatch(/^\/pictures\/[0-9a-f]{32}\.png$/);
  expect(mail.headers['content-security-policy']).toContain("img-src https: data: 'self'");
  const picture = await app.inject({ url: src, headers });
  expect(await sharp(picture.rawPayload).metadata()).toMatchObject({ width: 90, height: 30 });
  expect((await preview(newsletter, 'w1')).html).toContain(
    src.replace('/pictures', 'https://news.example.com/assets'),
  );
  const off = await app.inject({ url: '/mail/w1?images=off', headers });
  expect(off.headers['content-security-policy']).not.toContain('img-src');
  expect((await app.inject({ url: src })).statusCode).toBe(403);
});
