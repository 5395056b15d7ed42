/** The bytes that go over the wire: header fields, lines, parts, signature. */
import { isAligned } from '../message/dkim.ts';
import { fieldsNamed, type RawField } from '../message/parts.ts';
import type { Check, Context, Found } from './check.ts';

/** Octets (RFC 5322 2.1.1, D-27), characters (RFC 2047 2), ms. */
const LONGEST_LINE = 998;
const LARGEST_HEADER = 8_192;
const LONGEST_WORD = 75;
const LONGEST_ENCODED_LINE = 76;
const DAY = 86_400_000;

const rfc = (number: number, section: string) =>
  `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`;
const SENDER_GUIDELINES = 'https://support.google.com/mail/answer/81126';

const ONCE = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'List-ID'];
const AT_MOST_ONCE = ['Reply-To', 'Sender', 'Cc', 'List-Help', 'Feedback-ID', 'Archived-At'];

/** Nothing that an editor writes breaks these; the composer would have. */
const COMPOSER = 'This is not for you to mend: please report it with the issue.';

export const MESSAGE_CHECKS: Check[] = [
  {
    id: 'header-list-unsubscribe',
    severity: 'error',
    reason: 'Gmail, Yahoo and others show their unsubscribe button only for exactly this.',
    source: 'D-01',
    url: rfc(8058, '3.1'),
    find: ({ message }) => {
      const found = fieldsNamed(message, 'List-Unsubscribe');
      const [field] = found;
      if (!field || found.length > 1)
        return [broken(`List-Unsubscribe stands ${found.length} times instead of once`)];
      const one = /^<https?:\/\/[!-~]+>(?:,\s*<mailto:[!-~]+>)?$/.test(field.value);
      if (!one)
        return [
          broken(`List-Unsubscribe is not one https: address in angle brackets: ${field.value}`),
        ];
      return field.raw.includes('\r\n')
        ? [broken('List-Unsubscribe is folded, which breaks signatures')]
        : [];
    },
  },
  {
    id: 'header-one-click',
    severity: 'error',
    reason:
      'Without this field, word for word, unsubscribing is not one click, and bulk mail is refused.',
    source: 'D-03',
    url: rfc(8058, '3.1'),
    find: ({ message }) => {
      const found = fieldsNamed(message, 'List-Unsubscribe-Post');
      const good = found.length === 1 && found[0]?.value === 'List-Unsubscribe=One-Click';
      return good
        ? []
        : [broken('List-Unsubscribe-Post is not exactly one List-Unsubscribe=One-Click')];
    },
  },
  {
    id: 'header-line-length',
    severity: 'error',
    reason: 'Servers break or refuse longer lines, and a broken line breaks the signature.',
    source: 'D-16',
    url: rfc(5322, '2.1.1'),
    find: ({ message }) => {
      const lines = message.bytes.toString('latin1').split('\r\n');
      const at = lines.findIndex((line) => line.length > LONGEST_LINE);
      return at === -1
        ? []
        : [
            broken(
              `Line ${at + 1} of the message has ${lines[at]?.length} octets; ${LONGEST_LINE} are allowed`,
            ),
          ];
    },
  },
  {
    id: 'header-count',
    severity: 'error',
    reason: 'Gmail refuses a message in which such a field is missing or stands twice.',
    source: 'D-17',
    url: rfc(5322, '3.6'),
    find: ({ message }) =>
      [...ONCE, ...AT_MOST_ONCE].flatMap((name) => {
        const count = fieldsNamed(message, name).length;
        if (count === 1 || (count === 0 && AT_MOST_ONCE.includes(name))) return [];
        return [broken(`${name} stands ${count} times in the header`)];
      }),
  },
  {
    id: 'header-message-id',
    severity: 'error',
    reason:
      'A retry is told from a second mail by it, and many mails with the same one are refused.',
    source: 'D-18',
    url: rfc(5322, '3.6.4'),
    find: (context) => {
      const id = valueOfField(context, 'Message-ID');
      const domain = /^<[^<>@\s]+@([^<>@\s]+)>$/.exec(id)?.[1];
      const own = domainOf(context.settings.sender.address);
      if (domain && isAligned(domain, own)) return [];
      return [broken(`The Message-ID ${id} is not <unique@${own}>`)];
    },
  },
  {
    id: 'header-date',
    severity: 'error',
    reason: 'Yahoo refuses mail that comes from the future or from long ago.',
    source: 'D-19',
    url: rfc(5322, '3.6.1'),
    find: (context) => {
      const value = valueOfField(context, 'Date');
      const time = Date.parse(value);
      const hasOffset = /[+-]\d{4}$/.test(value);
      return hasOffset && Math.abs(time - context.now) < DAY
        ? []
        : [broken(`The Date "${value}" is not the time of sending with its offset`)];
    },
  },
  {
    id: 'header-encoding',
    severity: 'error',
    reason: 'Words that are encoded otherwise come out as question marks, or as they stand.',
    source: 'D-20',
    url: rfc(2047, '2'),
    find: ({ message }) => message.fields.flatMap(encodingProblem),
  },
  {
    id: 'header-parts',
    severity: 'error',
    reason:
      'Programs take the last part that they can show; in another order, or encoding, it is the wrong one.',
    source: 'D-23',
    url: rfc(2046, '5.1.4'),
    find: ({ message: { type, parts } }) => {
      const types = parts.map((part) => part.type).join(', ');
      const utf8 = parts.every(({ charset }) => charset === 'utf-8');
      return type === 'multipart/alternative' && types === 'text/plain, text/html' && utf8
        ? []
        : [
            broken(
              `The message is ${type} of ${types || 'nothing'}${utf8 ? '' : ', not all in UTF-8'}`,
            ),
          ];
    },
  },
  {
    id: 'header-size',
    severity: 'error',
    reason: 'Gmail and Yahoo refuse mail with a large header.',
    source: 'D-27',
    url: SENDER_GUIDELINES,
    find: ({ message: { headerBytes } }) =>
      headerBytes < LARGEST_HEADER
        ? []
        : [
            {
              message: `The header has ${headerBytes} bytes; ${LARGEST_HEADER} is the most`,
              hint: 'Shorten the subject, the names and the addresses of the settings.',
            },
          ],
  },
  {
    id: 'header-list-id',
    severity: 'error',
    reason: 'Filters of readers and Gmail know the newsletter by it, for ever.',
    source: 'D-28',
    url: rfc(2919, '2'),
    find: (context) => {
      const value = valueOfField(context, 'List-ID');
      const id = /<([^<>]+)>$/.exec(value)?.[1];
      return id === context.settings.listId && value.length <= 255
        ? []
        : [broken(`The List-ID "${value}" is not <${context.settings.listId}>`)];
    },
  },
  {
    id: 'header-recipient',
    severity: 'error',
    reason: 'A message shows its one reader, and nobody else.',
    source: 'D-22',
    url: rfc(5322, '3.6.3'),
    find: (context) =>
      /^<?[^<>,;\s]+@[^<>,;\s]+>?$/.test(valueOfField(context, 'To')) &&
      fieldsNamed(context.message, 'Bcc').length === 0
        ? []
        : [broken('The message is not addressed to exactly one reader')],
  },
  {
    id: 'header-control',
    severity: 'error',
    reason: 'A line break within a value becomes a field of its own, written by somebody else.',
    source: 'D-21',
    url: rfc(5322, '2.2'),
    find: ({ message }) =>
      message.fields
        .filter(
          ({ name, value }) => !/^[!-9;-~]+$/.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value),
        )
        .map(({ name }) =>
          broken(`The field "${name.slice(0, 40)}" holds control characters or is none`),
        ),
  },
  {
    id: 'header-sender',
    severity: 'error',
    reason: 'A message says that it comes from the address of the settings, and from one.',
    source: 'D-17',
    url: rfc(5322, '3.6.2'),
    find: (context) => {
      const from = valueOfField(context, 'From');
      const address = /<([^<>]+)>$/.exec(from)?.[1] ?? from;
      return address.toLowerCase() === context.settings.sender.address.toLowerCase()
        ? []
        : [
            broken(
              `The message is from ${address}, the settings say ${context.settings.sender.address}`,
            ),
          ];
    },
  },
  {
    id: 'reply-not-read',
    severity: 'warning',
    reason:
      'Microsoft asks for an address that a person reads; readers answer where they cannot unsubscribe.',
    source: 'D-73',
    url: 'https://sendersupport.olc.protection.outlook.com/pm/policies.aspx',
    find: ({ settings: { sender } }) =>
      /^(no|do-?not|don.?t)[._-]?reply/i.test(sender.replyTo ?? sender.address)
        ? [
            {
              message: `Answers go to ${sender.replyTo ?? sender.address}`,
              file: 'config/newsletter.yaml',
              hint: 'Set sender.replyTo to a mailbox that somebody reads.',
            },
          ]
        : [],
  },
  {
    id: 'dkim-invalid',
    severity: 'error',
    reason:
      'A signature that does not hold is worse than none: providers refuse the mail or call it spam.',
    source: 'D-39',
    url: rfc(6376, '6.1'),
    find: ({ signatureProblem }) =>
      signatureProblem === undefined
        ? []
        : [
            {
              message: signatureProblem,
              file: 'config/newsletter.yaml',
              hint: 'Look at DKIM_PRIVATE_KEY, dkim.domain and dkim.selector.',
            },
          ],
  },
  {
    id: 'dkim-not-aligned',
    severity: 'error',
    reason: 'A signature counts only for the domain that readers see as the sender.',
    source: 'D-35',
    url: 'https://www.rfc-editor.org/rfc/rfc9989',
    find: ({ message, settings: { sender } }) =>
      fieldsNamed(message, 'DKIM-Signature')
        .map(({ value }) => /(?:^|;)\s*d=([^;\s]+)/.exec(value)?.[1] ?? '')
        .filter((domain) => !isAligned(domain, domainOf(sender.address)))
        .map((domain) => ({
          message: `The signature is of ${domain || 'no domain'}, the sender is at ${domainOf(sender.address)}`,
          file: 'config/newsletter.yaml',
          hint: 'Sign with the domain of sender.address or the one above it: dkim.domain',
        })),
  },
];

function broken(message: string): Found {
  return { message, hint: COMPOSER };
}

function valueOfField({ message }: Context, name: string): string {
  return fieldsNamed(message, name)[0]?.value ?? '';
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function encodingProblem({ name, raw }: RawField): Found[] {
  if (/[^\x00-\x7f]/.test(raw)) return [broken(`${name} holds letters that are not encoded`)];
  const words = raw.match(/=\?[^?\s]+\?[bq]\?[^?\s]*\?=/gi) ?? [];
  const long = words.find((word) => word.length > LONGEST_WORD);
  if (long)
    return [
      broken(
        `${name} has an encoded word of ${long.length} characters; ${LONGEST_WORD} are allowed`,
      ),
    ];
  const line =
    words.length > 0 && raw.split('\r\n').find((each) => each.length > LONGEST_ENCODED_LINE);
  return line
    ? [
        broken(
          `${name} has an encoded line of ${line.length} characters; ${LONGEST_ENCODED_LINE} are allowed`,
        ),
      ]
    : [];
}
