/** What readers settle themselves, by a link of their own (W-13, W-14). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { changeAddress, chooseLanguage, preferences } from '../../newsletter/preferences.ts';
import { FORM_RATE, field, ownFormsOnly, readForms, tokenOf } from './forms.ts';
import { invalidLink, type Site } from './site.ts';

/** To be registered with a scope of its own, for the way in which it reads bodies. */
export async function preferencesRoutes(app: FastifyInstance, site: Site): Promise<void> {
  readForms(app);
  const onRequest = ownFormsOnly(site.newsletter.settings);
  app.get('/p/:token', (request, reply) => showPreferences(site, request, reply, {}));
  app.post('/p/:token', { config: FORM_RATE, onRequest }, (request, reply) =>
    takePreferences(site, request, reply),
  );
}

async function showPreferences(
  site: Site,
  request: FastifyRequest,
  reply: FastifyReply,
  { saved = false, invalid = false },
) {
  const { newsletter, show, languageFor } = site;
  const found = await preferences(newsletter, tokenOf(request));
  if (!found) return invalidLink(site, request, reply);
  const { maskedAddress: address, language, state, unsubscribeToken } = found;
  const own = {
    address,
    saved,
    invalid,
    unsubscribeToken,
    subscribed: state === 'active',
    chinese: language === 'zh',
  };
  // What has just been chosen is spoken at once.
  return show(request, reply, 'preferences', own, saved ? language : languageFor(request));
}

async function takePreferences(site: Site, request: FastifyRequest, reply: FastifyReply) {
  const { newsletter, show, languageFor } = site;
  const token = tokenOf(request);
  if (field(request, 'save') === 'address') {
    const change = { token, address: field(request, 'address'), language: languageFor(request) };
    const result = await changeAddress(newsletter, change);
    if (result === 'unknown') return invalidLink(site, request, reply);
    if (result === 'asked') return show(request, reply, 'asked', {});
    return showPreferences(site, request, reply.code(422), { invalid: true });
  }
  const language = field(request, 'language');
  if (language !== 'zh' && language !== 'en')
    return showPreferences(site, request, reply.code(422), {});
  const saved = await chooseLanguage(newsletter, token, language);
  return showPreferences(site, request, reply, { saved });
}
