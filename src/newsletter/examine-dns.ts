/** What receivers and providers look up of the sender's domains before they believe a mail (D-34). */
import type { DnsResolver } from '../check/dns/ask.ts';
import { examineDkim } from '../check/dns/dkim.ts';
import { examineDmarc } from '../check/dns/dmarc.ts';
import { examineMx, examineSoa } from '../check/dns/mail.ts';
import { examineSpf } from '../check/dns/spf.ts';
import { type Examination, examining } from '../check/examination.ts';
import { BroadsheetError } from '../errors.ts';
import { asciiDomain } from '../message/address.ts';
import { isAligned } from '../message/dkim.ts';
import type { Patient } from './doctor.ts';
import { isLoopback } from './examine-relay.ts';
import { signerOf } from './signer.ts';

/** All at once; in the order in which they are read. */
export async function examineDns(patient: Patient, resolver: DnsResolver): Promise<Examination[]> {
  const { settings, secrets } = patient;
  const { sender, bounces, dkim, editor, site } = settings;
  const from = domainOf(sender.address);
  const envelope = domainOf(bounces.address ?? sender.address);
  const { smtpUrl } = secrets;
  const relay = smtpUrl && !isLoopback(smtpUrl) ? new URL(smtpUrl).hostname : undefined;
  const addresses = [sender.address, sender.replyTo, bounces.address, site.subscribe.sender];
  const domains = new Set(addresses.filter((each) => each !== undefined).map(domainOf));
  const people = [editor, sender.replyTo].filter((each) => each !== undefined);
  const parts = await Promise.all([
    examineSpf(resolver, envelope, relay),
    examineSignature(patient, resolver),
    examineDmarc(resolver, {
      from,
      envelope,
      signature: dkim.signer === 'none' ? undefined : dkim.domain && asciiDomain(dkim.domain),
      relaySigns: dkim.signer === 'relay',
      // A mailbox elsewhere needs a record there (RFC 9990 4).
      reportsTo: people.find((each) => isAligned(domainOf(each), from)) ?? sender.address,
    }),
    ...[...domains].map((domain) => examineMx(resolver, domain)),
    examineSoa(resolver, from),
  ]);
  return parts.flat();
}

async function examineSignature(patient: Patient, resolver: DnsResolver): Promise<Examination> {
  const { signer, domain, selector } = patient.settings.dkim;
  const says = examining('dkim', 'DKIM');
  if (signer === 'none')
    return says('fail', 'Nobody signs', 'Set dkim.signer to "broadsheet" or "relay".');
  try {
    const own = signerOf(patient);
    if (own) return examineDkim(resolver, own);
  } catch (error) {
    if (!(error instanceof BroadsheetError)) throw error;
    const [problem] = error.problems;
    return says('fail', problem?.message ?? error.message, problem?.hint);
  }
  if (domain && selector) return examineDkim(resolver, { domain: asciiDomain(domain), selector });
  return says(
    'warn',
    'The relay signs; with which key is not known here',
    'Set dkim.domain and dkim.selector to what it signs with, or look at DKIM-Signature of a test mail.',
  );
}

function domainOf(address: string): string {
  return asciiDomain(address.slice(address.lastIndexOf('@') + 1));
}
