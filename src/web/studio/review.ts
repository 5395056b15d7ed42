/** The draft beside its source, and an editor's word on it. */
import type { FastifyInstance } from 'fastify';
import { decide, review } from '../../newsletter/review.ts';
import { given, param } from './answers.ts';
import type { Live } from './live.ts';

export function addReview(app: FastifyInstance, live: Live): void {
  app.get('/api/issues/:id/review', (request) => review(live.newsletter(), param(request, 'id')));
  app.post('/api/issues/:id/review', (request) => {
    const verdict = given(request, 'verdict') === 'accept' ? 'accept' : 'reject';
    const decision = { hash: given(request, 'hash'), key: given(request, 'key'), verdict } as const;
    return decide(live.newsletter(), param(request, 'id'), decision);
  });
}
