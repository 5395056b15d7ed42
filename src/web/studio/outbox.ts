/** The outbox as a mail reader. */
import type { FastifyInstance } from 'fastify';
import { outboxList, outboxMail } from '../../newsletter/outbox.ts';
import { asked, sendMail, type View } from './answers.ts';
import type { Live } from './live.ts';

const PAGE = 50;

export function addOutbox(app: FastifyInstance, live: Live): void {
  app.get('/api/outbox', (request) => {
    const from = Math.max(0, Number.parseInt(asked(request, 'from') ?? '0', 10) || 0);
    const [folder, search] = [asked(request, 'folder'), asked(request, 'search')];
    return outboxList(live.newsletter(), { folder, search, from, most: PAGE });
  });
  app.get('/api/outbox/mail', (request) =>
    outboxMail(live.newsletter(), asked(request, 'name') ?? ''),
  );
  app.get('/outbox/mail', async (request, reply) => {
    const { html, text } = await outboxMail(live.newsletter(), asked(request, 'name') ?? '');
    return sendMail(reply, html || plain(text), request.query as View);
  });
}

/** A mail without HTML. */
function plain(text: string): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<!doctype html><meta charset="utf-8"><pre style="white-space:pre-wrap">${escaped}</pre>`;
}
