/** The desk: campaigns as they run, the list, the coming slots. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inputError } from '../../errors.ts';
import { campaigns, control } from '../../newsletter/campaigns.ts';
import { campaignAtWork, listToday, slotsAhead } from '../../newsletter/desk.ts';
import { openEvents, param } from './answers.ts';
import type { Live } from './live.ts';

/** How often running campaigns are looked at, ms; and, where looking takes long, so many times as long as that. */
const LOOK = 500;
const LOOK_SHARE = 10;
/** Slots ahead that are shown. */
const SLOTS = 5;

const VERBS = ['pause', 'resume', 'cancel'] as const;

export function addDesk(app: FastifyInstance, live: Live): void {
  app.get('/api/desk', async () => ({
    campaigns: await campaigns(live.newsletter()),
    slots: await slotsAhead(live.newsletter(), SLOTS),
    list: await listToday(live.newsletter()),
  }));
  app.get('/api/campaigns/:id', (request) =>
    campaignAtWork(live.newsletter(), param(request, 'id')),
  );
  app.post('/api/campaigns/:id/:verb', (request) => {
    const verb = VERBS.find((known) => known === param(request, 'verb'));
    if (!verb) throw inputError('verb-unknown', `Say one of: ${VERBS.join(', ')}`);
    return control(live.newsletter(), param(request, 'id'), verb);
  });
  app.get('/api/progress', (request, reply) => progress(live, request, reply));
}

/** The campaigns whenever something in them has changed, until nobody listens. */
function progress(live: Live, request: FastifyRequest, reply: FastifyReply): void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let last = '';
  const send = openEvents(request, reply, () => {
    ended = true;
    clearTimeout(timer);
  });
  const look = async () => {
    const begun = performance.now();
    const now = await campaigns(live.newsletter());
    if (ended) return;
    const text = JSON.stringify(now);
    if (text !== last) send('campaigns', now);
    last = text;
    again(LOOK_SHARE * (performance.now() - begun));
  };
  const again = (pause: number) => {
    // A database that is closed or settings that are broken meanwhile: looked at again later.
    timer = setTimeout(() => look().catch(() => !ended && again(LOOK)), Math.max(LOOK, pause));
  };
  again(0);
}
