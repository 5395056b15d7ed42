/** A plain mail to one person, outside of any campaign: the bytes, by the same composer as every other. */
import { createHmac } from 'node:crypto';
import type { Email } from '../issue/email.ts';
import { sign } from '../message/dkim.ts';
import { compileNotice, fillPieces, NO_TOKEN } from '../message/program.ts';
import type { Newsletter } from './newsletter.ts';
import { signerOf } from './signer.ts';

/** Where such mails come from. */
export function noticeSender({ settings }: Pick<Newsletter, 'settings'>): string {
  return settings.site.subscribe.sender ?? settings.sender.address;
}

/** @param id tells this mail from every other one; it becomes its Message-ID */
export async function noticeMail(
  newsletter: Newsletter,
  mail: Pick<Email, 'subject' | 'text'>,
  { id, address }: { id: string; address: string },
): Promise<Buffer[]> {
  const { settings, clock, keys } = newsletter;
  const { sender } = settings;
  const from = noticeSender(newsletter);
  const program = compileNotice(mail, {
    from: { name: sender.name, address: from },
    replyTo: sender.replyTo ?? sender.address,
    date: clock(),
    identity: {
      issue: 'notice',
      domain: from.slice(from.lastIndexOf('@') + 1),
      salt: createHmac('sha256', keys[0].key).update('message-id|notice').digest('base64url'),
    },
  });
  const pieces = fillPieces(program, { delivery: id, address, name: null, token: NO_TOKEN });
  const signer = signerOf(newsletter);
  return signer ? sign(pieces, signer) : pieces;
}
