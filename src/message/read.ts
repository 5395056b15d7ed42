/** A message taken apart again: what a receiver makes of the bytes. */
import { simpleParser } from 'mailparser';

export interface ReadMessage {
  subject: string;
  from: string;
  to: string;
  html: string;
  text: string;
}

/** Parses a complete message. */
export async function readMessage(message: Buffer): Promise<ReadMessage> {
  const parsed = await simpleParser(message, { skipImageLinks: true, skipTextToHtml: true });
  return {
    subject: parsed.subject ?? '',
    from: parsed.from?.text ?? '',
    to: [parsed.to ?? []]
      .flat()
      .map(({ text }) => text)
      .join(', '),
    html: parsed.html || '',
    text: parsed.text ?? '',
  };
}
