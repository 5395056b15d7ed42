/** The public half of our DKIM key as receivers find it (RFC 6376 3.6). */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Examination, examining } from '../examination.ts';
import { askText, type DnsResolver, publish, unanswered } from './ask.ts';
import { readTags } from './tags.ts';

/** What is asked of a new key, bits (RFC 8301 3.2, D-37). */
const GOOD_KEY = 2048;

/** The record that goes with a private or public key. */
export function dkimRecord(key: KeyObject): string {
  return `v=DKIM1; k=rsa; p=${publicDer(key).toString('base64')}`;
}

function publicDer(key: KeyObject): Buffer {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ type: 'spki', format: 'der' });
}

/** A key record read: its key, or why receivers cannot use it (RFC 6376 3.6.1, 6.1.2). */
export function readDkim(text: string): { key: KeyObject; testing: boolean } | { wrong: string } {
  const tags = readTags(text);
  const value = (tags.get('p') ?? '').replace(/\s/g, '');
  const version = tags.get('v') ?? 'DKIM1';
  const hashes = listed(tags.get('h') ?? 'sha256');
  const services = listed(tags.get('s') ?? '*');
  if (version !== 'DKIM1') return { wrong: `it says v=${version}, not DKIM1` };
  if (!tags.has('p')) return { wrong: 'it holds no key (p=)' };
  if (value === '') return { wrong: 'the key is revoked: p= is empty' };
  if ((tags.get('k') ?? 'rsa') !== 'rsa') return { wrong: `the key is ${tags.get('k')}, not rsa` };
  if (!hashes.includes('sha256')) return { wrong: `it allows ${tags.get('h')}, not sha256 (h=)` };
  if (!services.includes('*') && !services.includes('email'))
    return { wrong: `it is for ${tags.get('s')}, not for mail (s=)` };
  const key = keyIn(value);
  return key ? { key, testing: listed(tags.get('t') ?? '').includes('y') } : NO_KEY;
}

const NO_KEY = { wrong: 'the key (p=) cannot be read' };

/** SubjectPublicKeyInfo, as all publish it; RSAPublicKey, as RFC 6376 3.6.1 has it. */
function keyIn(base64: string): KeyObject | null {
  const der = Buffer.from(base64, 'base64');
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      return createPublicKey({ key: der, format: 'der', type });
    } catch {
      // The other form, or none.
    }
  }
  return null;
}

function listed(text: string): string[] {
  return text.split(':').map((part) => part.trim());
}

/** Names of a key, and the key itself where we are the ones who sign. */
export interface SigningKey {
  domain: string;
  selector: string;
  key?: KeyObject;
}

/** Whether receivers find the key, and the one that signs (D-34, D-37). */
export async function examineDkim(resolver: DnsResolver, own: SigningKey): Promise<Examination> {
  const name = `${own.selector}._domainkey.${own.domain}`;
  const says = examining('dkim', `DKIM key ${name}`);
  const wanted = own.key ? publish(name, dkimRecord(own.key)) : 'Publish what your relay gives.';
  const answer = await askText(resolver, name);
  if (answer.silent !== undefined) return says('warn', unanswered(answer.silent));
  const [record, ...others] = answer.records;
  if (record === undefined) return says('fail', 'There is no record', wanted);
  if (others.length > 0) return says('fail', `There are ${others.length + 1} records`, wanted);
  const read = readDkim(record);
  if ('wrong' in read) return says('fail', `The record is of no use: ${read.wrong}`, wanted);
  if (own.key && !publicDer(read.key).equals(publicDer(own.key)))
    return says('fail', 'The record holds another key than the one that signs', wanted);
  const bits = read.key.asymmetricKeyDetails?.modulusLength ?? 0;
  const words = own.key ? 'It is of the key that signs' : 'The relay’s key is there';
  if (read.testing)
    return says('warn', `${words}, but t=y calls it a test: receivers may ignore it`, wanted);
  if (bits < GOOD_KEY)
    return says('warn', `${words}, but has ${bits} bits`, `Make a key of ${GOOD_KEY} bits.`);
  return says('ok', `${words}, ${bits} bits`);
}
