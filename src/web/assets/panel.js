// Beside the mail: what the checks say, how large it is, and how lists of mails cut its line.
import { h, kilobytes } from './dom.js';
import { count, inChinese, lineWords, say, word } from './words.js';

const SIZES = [
  ['text', 'text'],
  ['addresses', 'addresses'],
  ['styles', 'styles'],
  ['inline', 'inline'],
  ['comments', 'comments'],
  ['markup', 'markupBytes'],
];
const LIMIT = 100_000;

/** @typedef {{ id: string, severity: string, message: string, file: string, line?: number, hint?: string, source?: string }} Finding */

/**
 * @param {Finding[] | undefined} findings undefined: still looking
 * @param {string} file of the issue, to whose lines one can go
 * @param {(finding: Finding) => void} jump
 */
export function checks(findings, file, jump) {
  if (!findings)
    return h(
      'section',
      { class: 'checks' },
      h('h2', {}, say.checks),
      h('p', { class: 'small' }, say.looking),
    );
  const rows = findings.map((finding) =>
    h(
      'li',
      { class: finding.severity },
      finding.line && finding.file === file
        ? h(
            'button',
            { type: 'button', class: 'jump', on: { click: () => jump(finding) } },
            ...wordsOf(finding),
          )
        : h('p', {}, ...wordsOf(finding, finding.file === file ? '' : finding.file)),
    ),
  );
  const title = h('h2', {}, say.checks, ' ', h('span', { class: 'badge' }, count(findings.length)));
  return h(
    'section',
    { class: 'checks' },
    title,
    rows.length > 0 ? h('ul', {}, ...rows) : h('p', { class: 'fine' }, `✓ ${say.fine}`),
  );
}

/** @param {Finding} finding @param {string} [file] where that is not clear @returns {Node[]} */
export function wordsOf({ id, severity, message, line, hint, source }, file = '') {
  const place = [word(severity), file, line && lineWords(line)].filter(Boolean).join(' · ');
  const rule = `[${[id, source].filter(Boolean).join(', ')}]`;
  const [what, todo] = inChinese(id) ?? [message, hint];
  return [
    h('span', { class: 'severity' }, place),
    h('span', { class: 'message' }, what),
    what !== message && h('span', { class: 'small', lang: 'en' }, message),
    h('span', { class: 'small' }, [todo, rule].filter(Boolean).join(' ')),
  ].filter((part) => part !== false);
}

/** @param {any} issue */
export function sizes({ bytes, measured, hash }) {
  const share = bytes.html / LIMIT;
  const meter = h('meter', {
    min: 0,
    max: 1,
    low: 0.8,
    high: 0.999,
    optimum: 0,
    value: Math.min(1, share),
    'aria-label': say.ofLimit,
  });
  const rows = SIZES.map(([key, name]) => {
    const bar = h('meter', {
      min: 0,
      max: bytes.html,
      value: measured.bytes[key],
      'aria-label': word(name),
    });
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, word(name)),
      h('td', {}, bar),
      h('td', { class: 'number' }, kilobytes(measured.bytes[key])),
    );
  });
  const { words, minutes, links, images } = measured;
  return h(
    'section',
    { class: 'sizes' },
    h('h2', {}, say.size),
    h(
      'p',
      { class: 'total' },
      h('strong', {}, kilobytes(bytes.html)),
      ` HTML · ${kilobytes(bytes.message)} MIME`,
    ),
    meter,
    h('p', { class: 'small' }, `${Math.round(share * 100)} % · ${say.ofLimit}`),
    h('table', {}, h('tbody', {}, ...rows)),
    h(
      'p',
      { class: 'small' },
      `${count(words)} ${say.words} · ${minutes} ${say.minutes} · ${links} ${say.links} · ${images} ${say.images}`,
    ),
    h('p', { class: 'small' }, `${say.hash} `, h('code', { title: hash }, hash.slice(0, 16))),
  );
}

/** @param {{ from: string, subject: string, preheader: string }} mail */
export function inboxRow(mail) {
  return h('div', { class: 'row phone-row' }, ...line(mail));
}

/** The line in three kinds of lists. @param {{ from: string, subject: string, preheader: string }} mail */
export function inboxes(mail) {
  const kinds = [
    ['Apple Mail · iPhone', 'phone-row'],
    ['Gmail · Android', 'one-line-row'],
    ['Gmail, Outlook, QQ · Web', 'wide-row'],
  ];
  return h(
    'div',
    { class: 'inboxes' },
    ...kinds.flatMap(([name, kind]) => [
      h('h2', {}, name),
      h('div', { class: `row ${kind}` }, ...line(mail)),
    ]),
    h('p', { class: 'small' }, say.approximate),
  );
}

/** @param {{ from: string, subject: string, preheader: string }} mail */
function line({ from, subject, preheader }) {
  const sender = from.replace(/\s*<[^>]*>$/, '').replace(/^"|"$/g, '') || from;
  return [
    h('span', { class: 'sender' }, sender),
    h('span', { class: 'when' }, '9:00'),
    h('span', { class: 'subject' }, subject),
    h('span', { class: 'preheader' }, preheader),
  ];
}
