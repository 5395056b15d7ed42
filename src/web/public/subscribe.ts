/** Signing up: the form, and the link in the mail (W-01 to W-04, W-10). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  confirm,
  confirmAnew,
  confirmation,
  formTime,
  isFormTime,
  mailLink,
  subscribe,
  wordingOf,
} from '../../newsletter/subscribe.ts';
import type { Pages } from '../../render/page.ts';
import { FORM_RATE, field, isForeign, ownFormsOnly, readForms, tokenOf } from './forms.ts';
import { invalidLink, type Site } from './site.ts';

/** To be registered with a scope of its own, for the way in which it reads bodies. */
export async function subscribeRoutes(app: FastifyInstance, site: Site): Promise<void> {
  readForms(app);
  const onRequest = ownFormsOnly(site.newsletter.settings);
  const config = FORM_RATE;
  app.get('/subscribe', (request, reply) => showForm(site, request, reply, {}));
  // A form on another site may post here: it gets our own form with the address in it.
  app.post('/subscribe', { config }, (request, reply) => takeForm(site, request, reply));
  app.get('/link', (request, reply) =>
    site.show(request, reply, 'link', { address: '', invalid: false }),
  );
  app.post('/link', { config, onRequest }, (request, reply) => takeLink(site, request, reply));
  app.get('/confirm/:token', (request, reply) => showConfirmation(site, request, reply));
  app.post('/confirm/:token', { onRequest }, (request, reply) =>
    takeConfirmation(site, request, reply),
  );
}

function showForm(
  { newsletter, show, languageFor }: Site,
  request: FastifyRequest,
  reply: FastifyReply,
  own: Partial<Pages['subscribe']>,
) {
  const { open, privacy = '' } = newsletter.settings.site.subscribe;
  return show(request, reply, 'subscribe', {
    open,
    issued: formTime(newsletter),
    consent: wordingOf(newsletter, languageFor(request)).wording,
    privacy,
    address: '',
    invalid: false,
    again: false,
    suggestion: '',
    ...own,
  });
}

async function takeForm(site: Site, request: FastifyRequest, reply: FastifyReply) {
  const { newsletter, show, languageFor } = site;
  if (!newsletter.settings.site.subscribe.open) return showForm(site, request, reply.code(403), {});
  const [address, issued] = [field(request, 'address'), field(request, 'issued')];
  const answer = await subscribe(newsletter, {
    address,
    issued,
    trap: field(request, 'website'),
    isMeant: field(request, 'meant') === 'yes',
    isForeign: isForeign(request, newsletter.settings),
    language: languageFor(request),
    ip: request.ip,
  });
  const own = { address, issued: isFormTime(newsletter, issued) ? issued : formTime(newsletter) };
  switch (answer.result) {
    case 'asked':
      return show(request, reply, 'asked', {});
    case 'too-many':
      return show(request, reply.code(429), 'too-many', {});
    case 'invalid':
      return showForm(site, request, reply.code(422), { ...own, invalid: true });
    case 'again':
      return showForm(site, request, reply, { ...own, again: true });
    case 'typo':
      return showForm(site, request, reply, { ...own, suggestion: answer.suggestion });
  }
}

async function takeLink(
  { newsletter, show, languageFor }: Site,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const address = field(request, 'address');
  const result = await mailLink(newsletter, {
    address,
    trap: field(request, 'website'),
    language: languageFor(request),
    ip: request.ip,
  });
  if (result === 'too-many') return show(request, reply.code(429), 'too-many', {});
  if (result === 'invalid')
    return show(request, reply.code(422), 'link', { address, invalid: true });
  return show(request, reply, 'asked', {});
}

/** Changes nothing, however often and by whatever program it is opened (W-02). */
async function showConfirmation(site: Site, request: FastifyRequest, reply: FastifyReply) {
  const { newsletter, show } = site;
  const found = await confirmation(newsletter, tokenOf(request));
  if (!found) return invalidLink(site, request, reply);
  const { state, kind, maskedAddress: address } = found;
  if (state === 'used') return show(request, reply, 'used', { address });
  if (state === 'expired') return show(request, reply.code(410), 'expired', {});
  return show(request, reply, 'confirm', { address, moves: kind === 'move' });
}

async function takeConfirmation(site: Site, request: FastifyRequest, reply: FastifyReply) {
  const { newsletter, show, languageFor } = site;
  const token = tokenOf(request);
  const found = await confirmation(newsletter, token);
  if (!found) return invalidLink(site, request, reply);
  if (found.state === 'expired' && field(request, 'again') === 'yes') {
    const ask = { token, language: languageFor(request), ip: request.ip };
    const isLimited = (await confirmAnew(newsletter, ask)) === 'too-many';
    return isLimited
      ? show(request, reply.code(429), 'too-many', {})
      : show(request, reply, 'asked', {});
  }
  const { maskedAddress: address, kind } = found;
  switch (await confirm(newsletter, token)) {
    case 'confirmed':
      return show(request, reply, 'confirmed', { address, moves: kind === 'move' });
    case 'already':
      return show(request, reply, 'used', { address });
    case 'expired':
      return show(request, reply.code(410), 'expired', {});
    default:
      return invalidLink(site, request, reply);
  }
}
