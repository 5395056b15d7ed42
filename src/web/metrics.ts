/** What Prometheus scrapes: a server of its own, because neither readers nor the studio's guests should see it. */
import createFastify, { type FastifyInstance } from 'fastify';
import { metrics } from '../newsletter/metrics.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';

/** `GET /metrics`, and nothing else; not listening yet. */
export function metricsServer(newsletter: Newsletter): FastifyInstance {
  const app = createFastify({ bodyLimit: 1 });
  app.get('/metrics', async (_request, reply) =>
    reply
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(await metrics(newsletter, { process: true })),
  );
  return app;
}
