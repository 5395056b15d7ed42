/** nodemailer's composer is the oracle: whatever the content, both messages say the same. */
import fc from 'fast-check';
import { type ParsedMail, simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { type SlotName, slotMarker } from '../../src/issue/email.ts';
import { compile, fill, messageId, type Reader } from '../../src/message/program.ts';
import { EMAIL, HEAD } from './sample.ts';

const LIST_ID = { id: 'ai-weekly.news.example.com', name: 'AI Weekly' };

/** A piece of a part: text, or a place for what the reader has. */
type Piece = string | { slot: SlotName };

const slot = fc
  .constantFrom<SlotName>('unsubscribe', 'preferences', 'web', 'name', 'address')
  .map((name) => ({ slot: name }));

const nasty = fc.constantFrom(
  '英伟达将开源推理加速软件',
  '「大模型」，',
  '🎉',
  '👩‍💻',
  'é',
  '\u00a0',
  '\u2028',
  'x'.repeat(200),
  '大'.repeat(120),
  '.',
  '\n.',
  '\n..',
  '\n.\n',
  '\t',
  ' ',
  '  ',
  ' \n',
  '\t\n',
  '\n\n\n',
  '\n',
  '\r\n',
  '=',
  '=3D',
  '=\n',
  '=E5',
  'From ',
  '\nFrom ',
  '<p class="a">',
  '</p>',
  '&amp;',
  '--',
  '\n--=_',
  '{token}',
  '{{name}}',
  '\ud800',
  'x'.repeat(72) + '.',
  'x'.repeat(74),
);

const english = fc.lorem({ maxCount: 12 });

const part = fc.array(fc.oneof(nasty, slot, english, fc.string({ unit: 'grapheme' })), {
  maxLength: 25,
});

const line = (max: number) =>
  fc
    .array(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        english,
        fc.constantFrom('大模型周报', '🎉', '=', '"', ',', '\\'),
      ),
      { maxLength: max },
    )
    .map((words) =>
      words
        .join('')
        .replace(/\p{Cc}/gu, '')
        .replace(/\s+/g, ' ')
        .trim(),
    );

const reader: fc.Arbitrary<Reader> = fc.record({
  delivery: fc.nat(),
  address: fc.constantFrom(
    'reader@example.net',
    "o'neil+news@例え.jp",
    'A.B@example.net',
    '"a b"@example.net',
  ),
  name: fc.option(line(4)),
  token: fc.stringMatching(/^[\w.~-]{1,60}$/),
});

/** The part with numbered markers, as a template prints it. */
function marked(pieces: readonly Piece[]): string {
  const uses = new Map<SlotName, number>();
  return pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      const n = (uses.get(piece.slot) ?? 0) + 1;
      uses.set(piece.slot, n);
      return slotMarker(piece.slot, n);
    })
    .join('');
}

/** The part as this reader should see it. */
function seen(
  pieces: readonly Piece[],
  { token, name, address }: Reader,
  encode = (text: string) => text,
): string {
  const link = (text: string | undefined) => (text ?? '').replace('{token}', token);
  const { unsubscribe, preferences, web } = HEAD.links;
  const values = {
    unsubscribe: link(unsubscribe),
    preferences: link(preferences),
    web: link(web),
    name: name ?? '',
    address,
  };
  return pieces
    .map((piece) => (typeof piece === 'string' ? piece : encode(values[piece.slot])))
    .join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

async function composedByNodemailer(
  subject: string,
  from: string,
  text: string,
  html: string,
  to: Reader,
  id: string,
): Promise<Buffer> {
  const unsubscribe = `<${HEAD.links.unsubscribe}>, <mailto:${HEAD.mailtoUnsubscribe}>`.replaceAll(
    '{token}',
    to.token,
  );
  const composed = await composer.sendMail({
    from: { name: from, address: HEAD.from.address },
    to: { name: '', address: to.address },
    replyTo: HEAD.replyTo as string,
    subject,
    date: new Date(HEAD.date),
    messageId: `<${id}>`,
    text,
    html,
    headers: {
      'List-Unsubscribe': { prepared: true, foldLines: false, value: unsubscribe },
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'Feedback-ID': HEAD.feedbackId as string,
      'Archived-At': `<${HEAD.archivedAt}>`,
      Precedence: 'bulk',
    },
    list: {
      id: { url: LIST_ID.id, comment: LIST_ID.name },
      help: { url: HEAD.helpUrl as string, comment: '' },
    },
  });
  return composed.message as Buffer;
}

/** What a reader's program shows, but for the kind of line breaks and their number at the end. */
function content(mail: ParsedMail) {
  const lines = (text: string | false | undefined) =>
    (text || '').replace(/\r\n?/g, '\n').replace(/\n*$/, '\n');
  const { subject, date, messageId: id, from, to, replyTo } = mail;
  const list = mail.headers.get('list');
  const others = ['feedback-id', 'archived-at', 'precedence', 'mime-version'].map((name) =>
    mail.headers.get(name),
  );
  const addresses = [from, to, replyTo].flat().map((found) => found?.value);
  return {
    subject,
    date,
    id,
    addresses,
    list,
    others,
    text: lines(mail.text),
    html: lines(mail.html),
  };
}

test('the content of a message is what nodemailer would make of it, whatever it is', async () => {
  const plain = { skipTextToHtml: true, skipImageLinks: true, skipHtmlToText: true };
  await fc.assert(
    fc.asyncProperty(
      line(12),
      line(6),
      part,
      part,
      reader,
      async (subject, from, text, html, to) => {
        fc.pre(subject !== '');
        // mailparser does not decode the name of a List-ID.
        const head = { ...HEAD, listId: LIST_ID, from: { ...HEAD.from, name: from } };
        const program = compile(
          { ...EMAIL, subject, text: marked(text), html: marked(html) },
          head,
        );
        const ours = await simpleParser(fill(program, to), plain);
        const id = messageId(program, to);
        const theirs = await simpleParser(
          await composedByNodemailer(
            subject,
            from,
            seen(text, to),
            seen(html, to, escaped),
            to,
            id,
          ),
          plain,
        );
        expect(content(ours)).toEqual(content(theirs));
      },
    ),
    { numRuns: 500 },
  );
});
