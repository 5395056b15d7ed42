// The parts of a mail that are text: with line numbers, copied and downloaded.
import { announce, button, h } from './dom.js';
import { count, moment, say } from './words.js';

/**
 * Text with its lines numbered, and notes beneath the lines that they are about.
 * @param {string} text
 * @param {Map<number, Node[]>} [notes] by line, from 1
 */
export function numbered(text, notes = new Map()) {
  const lines = text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');
  const rows = lines.flatMap((line, at) => [
    h(
      'li',
      { id: `line-${at + 1}`, class: notes.has(at + 1) ? 'noted' : '' },
      h('code', {}, line || ' '),
    ),
    ...(notes.get(at + 1) ?? []).map((note) => h('li', { class: 'note' }, note)),
  ]);
  return h('ol', { class: 'code', tabIndex: 0 }, ...rows);
}

/**
 * A part with its two buttons.
 * @param {Node} shown @param {string} text @param {string} [href] of the file
 */
export function part(shown, text, href) {
  const save = href ? h('a', { class: 'button', href, download: '' }, say.download) : '';
  return h(
    'div',
    { class: 'part' },
    h(
      'p',
      { class: 'tools' },
      button(say.copy, () => copy(text)),
      save,
    ),
    shown,
  );
}

/** @param {string} text */
export async function copy(text) {
  await navigator.clipboard.writeText(text).then(
    () => announce(say.copied),
    () => announce(say.notCopied),
  );
}

/** Rich text, for editors that take it. @param {string} html @param {string} words said when it is done */
export async function copyHtml(html, words) {
  const types = {
    'text/html': new Blob([html], { type: 'text/html' }),
    'text/plain': new Blob([html], { type: 'text/plain' }),
  };
  await navigator.clipboard.write([new ClipboardItem(types)]).then(
    () => announce(words),
    () => announce(say.notCopied),
  );
}

/** @param {{ with: { issue: string, subject: string, sentAt: number }, lines: { kind: string, text: string }[], bytes: { before: number, after: number } } | null} comparison */
export function comparison(comparison) {
  if (!comparison) return h('p', { class: 'notice' }, say.firstIssue);
  const { with: other, lines } = comparison;
  const signs = { same: ' ', gone: '−', new: '+' };
  const names = { same: '', gone: say.gone, new: say.fresh };
  const rows = folded(lines).map(({ kind, text, length }) =>
    length > 0
      ? h('li', { class: 'fold' }, `${count(length)} ${say.sameLines}`)
      : h(
          'li',
          { class: kind },
          h(
            'span',
            { class: 'sign' },
            h('span', { 'aria-hidden': 'true' }, Reflect.get(signs, kind)),
            h('span', { class: 'said-only' }, Reflect.get(names, kind)),
          ),
          h('code', {}, text || ' '),
        ),
  );
  return h(
    'div',
    { class: 'part' },
    h(
      'p',
      { class: 'small' },
      `${say.comparedWith} ${other.issue} “${other.subject}” ${moment(other.sentAt)}`,
    ),
    h('ol', { class: 'diff', tabIndex: 0 }, ...rows),
  );
}

/** Long stretches that did not change are named, not shown. @param {{ kind: string, text: string }[]} lines */
function folded(lines) {
  const near = 3;
  /** @type {{ kind: string, text: string, length: number }[]} */
  const result = [];
  lines.forEach((line, at) => {
    const isNear = lines
      .slice(Math.max(0, at - near), at + near + 1)
      .some(({ kind }) => kind !== 'same');
    const last = result.at(-1);
    if (isNear) result.push({ ...line, length: 0 });
    else if (last && last.length > 0) last.length += 1;
    else result.push({ kind: 'same', text: '', length: 1 });
  });
  return result;
}
