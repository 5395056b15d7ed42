/** The issues and the live preview of the very bytes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inputError } from '../../errors.ts';
import { approve } from '../../newsletter/approve.ts';
import { pageInMaking } from '../../newsletter/archive.ts';
import { compareWithLastSent } from '../../newsletter/compare.ts';
import { issueList } from '../../newsletter/issue-list.ts';
import { headOf } from '../../newsletter/outbox.ts';
import type { Preview } from '../../newsletter/preview.ts';
import { SAMPLE_READERS } from '../../newsletter/sample-readers.ts';
import { testSend } from '../../newsletter/test-send.ts';
import { forWechat } from '../../newsletter/wechat.ts';
import { localPictures, pictureRoute } from '../pictures.ts';
import { asked, given, openEvents, param, sendMail, type View } from './answers.ts';
import type { Live } from './live.ts';

/** A test goes to the few addresses that somebody typed, never to a list (P-06). */
const MOST_ADDRESSES = 5;

export function addPreview(app: FastifyInstance, live: Live): void {
  app.get('/api/issues', async () => {
    const { name, language, segments } = live.newsletter().settings;
    const readers = Object.entries(SAMPLE_READERS).map(([key, reader]) => ({ key, ...reader }));
    const issues = await issueList(live.newsletter());
    return { name, language, readers, segments: Object.keys(segments), issues };
  });
  app.get('/api/issues/:id', async (request) => described(await previewOf(live, request)));
  app.get('/api/issues/:id/findings', async (request) => {
    const { hash, findings } = await previewOf(live, request);
    return { hash, findings: await findings() };
  });
  app.get('/mail/:id', async (request, reply) => {
    const { html } = await previewOf(live, request);
    return sendMail(reply, localPictures(live.newsletter(), html), request.query as View);
  });
  app.get('/page/:id', async (request, reply) => {
    const html = await pageInMaking(live.newsletter(), param(request, 'id'));
    return sendMail(reply, localPictures(live.newsletter(), html), {});
  });
  app.get('/pictures/:name', (request, reply) => pictureRoute(live.newsletter())(request, reply));
  app.get('/files/:id/:part', (request, reply) => download(live, request, reply));
  app.get('/api/issues/:id/difference', async (request) => {
    return { comparison: await compareWithLastSent(live.newsletter(), param(request, 'id')) };
  });
  app.get('/api/issues/:id/wechat', (request) => {
    return { html: forWechat(live.newsletter(), param(request, 'id')) };
  });
  app.post('/api/issues/:id/test', (request) => sendTest(live, request));
  app.post('/api/issues/:id/approve', (request) => {
    const seen = given(request, 'approval');
    return approve(live.newsletter(), param(request, 'id'), undefined, [], seen);
  });
  app.get('/api/changes', (request, reply) => {
    const send = openEvents(request, reply, () => stop());
    const stop = live.listen(() => send('change', {}));
  });
}

function previewOf(live: Live, request: FastifyRequest): Promise<Preview> {
  return live.preview(param(request, 'id'), asked(request, 'reader'));
}

/** Without what the checks say: the mail is shown first. */
function described({ mime, html, findings: _, ...rest }: Preview) {
  const message = mime.toString('utf8');
  const bytes = { message: mime.length, html: Buffer.byteLength(html) };
  return { ...rest, html, mime: message, headers: headOf(message), bytes };
}

const PARTS: Record<string, { type: string; of: (preview: Preview) => string | Buffer }> = {
  html: { type: 'text/html', of: ({ html }) => html },
  txt: { type: 'text/plain', of: ({ text }) => text },
  mjml: { type: 'text/plain', of: ({ mjml }) => mjml },
  eml: { type: 'message/rfc822', of: ({ mime }) => mime },
};

async function download(live: Live, request: FastifyRequest, reply: FastifyReply) {
  const name = param(request, 'part');
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (!part) throw inputError('part-unknown', `A mail has no part "${name.slice(0, 40)}"`);
  const preview = await previewOf(live, request);
  return reply
    .header('Content-Disposition', `attachment; filename="${preview.issue}.${name}"`)
    .header('Content-Security-Policy', "default-src 'none'; sandbox")
    .type(`${part.type}; charset=utf-8`)
    .send(part.of(preview));
}

async function sendTest(live: Live, request: FastifyRequest) {
  const typed = given(request, 'addresses')
    .split(/[\s,;，；]+/)
    .filter(Boolean);
  if (typed.length === 0 || typed.length > MOST_ADDRESSES) {
    throw inputError('test-addresses', `A test goes to 1 to ${MOST_ADDRESSES} addresses`, {
      hint: 'Type them, with spaces between. A whole list is for: broadsheet send.',
    });
  }
  const signal = AbortSignal.timeout(60_000);
  const results = await testSend(live.newsletter(), param(request, 'id'), typed, signal);
  return { channel: live.newsletter().settings.delivery.channel, results };
}
