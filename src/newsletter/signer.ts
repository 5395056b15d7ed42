/** Our own signature, where the settings ask for one. */
import { inputError } from '../errors.ts';
import { loadSigner, type Signer } from '../message/dkim.ts';
import type { Newsletter } from './newsletter.ts';

/** @throws BroadsheetError `dkim-key-missing`, or what is wrong with the key */
export function signerOf({
  settings,
  secrets,
}: Pick<Newsletter, 'settings' | 'secrets'>): Signer | undefined {
  const { signer, domain, selector } = settings.dkim;
  if (signer !== 'broadsheet') return undefined;
  if (!secrets.dkimKey || !domain || !selector) {
    throw inputError('dkim-key-missing', 'dkim.signer is "broadsheet", but there is no key', {
      hint: 'Put DKIM_PRIVATE_KEY into the environment or config/.env, and domain and selector into the settings.',
    });
  }
  return loadSigner({ domain, selector, pem: secrets.dkimKey });
}
