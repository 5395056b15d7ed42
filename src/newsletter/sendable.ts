/** What the settings and secrets have to hold before a campaign goes out by SMTP. */
import { isPublicSite } from '../config/secrets.ts';
import { blockedError } from '../errors.ts';
import type { Newsletter } from './newsletter.ts';

/** A campaign over SMTP needs links that work and keys that last (D-13). */
export function requireSendable({
  settings,
  secrets,
}: Pick<Newsletter, 'settings' | 'secrets'>): void {
  if (settings.delivery.channel !== 'smtp') return;
  const missing = [
    isPublicSite(settings.site.url) ? null : 'site.url must be a public https: address',
    settings.dkim.signer === 'none' ? 'dkim.signer must be "broadsheet" or "relay"' : null,
    secrets.keys ? null : 'SECRET_KEYS must be set',
    secrets.smtpUrl ? null : 'SMTP_URL must be set',
  ].filter((problem) => problem !== null);
  if (missing.length === 0) return;
  throw blockedError('not-ready-for-smtp', `Not ready to send by SMTP: ${missing.join('; ')}`, {
    hint: 'Without these, unsubscribing would not work for your readers. See config/.env.example.',
  });
}
