// The draft beside its source: what the machine changed or doubts, and an editor's word on it.
import { get, post, Refused } from './api.js';
import { problemsOf } from './dialogs.js';
import { announce, button, h } from './dom.js';
import { count, lineWords, say, word } from './words.js';

const STATES = {
  open: say.repairOpen,
  accepted: say.repairAccepted,
  rejected: say.repairRejected,
  edited: say.repairEdited,
};

/** @param {HTMLElement} main @param {string} id */
export async function showReview(main, id) {
  /** @type {any} */
  let review;
  const list = h('div', { class: 'reviewed' });
  const sum = h('p', { class: 'sum' });
  main.append(
    h(
      'div',
      { class: 'page wide' },
      h('h1', {}, `${say.review} `, h('span', { class: 'id' }, id)),
      h(
        'p',
        { class: 'actions' },
        h('a', { class: 'button', href: `#/issue/${id}` }, say.preview),
        sum,
      ),
      list,
    ),
  );
  document.title = `${say.review} · ${id}`;
  try {
    fill(await get(`/api/issues/${id}/review`));
  } catch (error) {
    const isMissing = error instanceof Refused && error.code === 'draft-missing';
    list.replaceChildren(
      h('p', { class: 'notice' }, isMissing ? say.noDraft : problemsOf(error).join(' ')),
    );
  }
  return {
    async changed() {
      const fresh = await get(`/api/issues/${id}/review`).catch(() => undefined);
      if (fresh && fresh.hash !== review?.hash) fill(fresh);
    },
  };

  /** @param {any} fresh */
  function fill(fresh) {
    review = fresh;
    const open = review.items.reduce(
      (/** @type {number} */ all, /** @type {any} */ item) => all + item.marks.length,
      0,
    );
    sum.textContent = `${count(open)} ${say.toDecide}`;
    list.replaceChildren(...review.items.map(item));
  }

  /** @param {string} key @param {'accept' | 'reject'} verdict */
  async function decide(key, verdict) {
    try {
      fill(await post(`/api/issues/${id}/review`, { hash: review.hash, key, verdict }));
      announce(say.decided);
    } catch (error) {
      const isOld = error instanceof Refused && error.code === 'issue-changed';
      announce(isOld ? say.changedMeanwhile : problemsOf(error).join(' '));
      if (isOld) fill(await get(`/api/issues/${id}/review`));
    }
  }

  /** @param {any} each */
  function item(each) {
    const { headline, line, passage, repairs, flags, text, marks } = each;
    const spans = [
      ...repairs.map((/** @type {any} */ repair) => ({
        ...repair,
        kind: `repair ${repair.state}`,
        title: `${repair.from} → ${repair.to}`,
      })),
      ...flags.map((/** @type {any} */ flag) => ({ ...flag, kind: 'flag', title: flag.why })),
    ];
    const standing = [
      ...repairs
        .filter((/** @type {any} */ { at }) => at)
        .map((/** @type {any} */ { at, state, from, to }) => ({
          ...at,
          kind: `repair ${state}`,
          title: `${from} → ${to}`,
        })),
      ...marks.map((/** @type {any} */ mark) => ({ ...mark, kind: 'mark', title: mark.words })),
    ];
    return h(
      'article',
      { class: line ? '' : 'dropped' },
      h('h2', {}, headline, ' ', h('span', { class: 'id' }, line ? lineWords(line) : say.dropped)),
      h(
        'div',
        { class: 'beside' },
        h(
          'section',
          {},
          h(
            'h3',
            {},
            `${say.passage} · ${each.source.name} ${count(each.source.start)}–${count(each.source.end)}`,
          ),
          h('p', { class: 'words' }, ...highlighted(passage, spans)),
        ),
        h(
          'section',
          {},
          h('h3', {}, say.inIssue),
          h('p', { class: 'words' }, ...highlighted(text, standing)),
        ),
      ),
      line && decisions(repairs, marks),
    );
  }

  /** @param {any[]} repairs @param {any[]} marks */
  function decisions(repairs, marks) {
    const changes = repairs
      .filter(({ at }) => at)
      .map((repair) => {
        const { key, from, to, state, why, confidence } = repair;
        const verdict = (/** @type {'accept' | 'reject'} */ which, /** @type {boolean} */ isSo) =>
          button(which === 'accept' ? say.accept : say.reject, () => decide(key, which), {
            'aria-pressed': String(isSo),
            'aria-label': `${which === 'accept' ? say.accept : say.reject}: ${from} → ${to}`,
          });
        return h(
          'li',
          { class: state },
          h('span', { class: 'change' }, h('del', {}, from), ' → ', h('ins', {}, to)),
          h(
            'span',
            { class: 'small' },
            `${Reflect.get(STATES, state)} · ${why} · ${Math.round(confidence * 100)} %`,
          ),
          verdict('accept', state === 'accepted'),
          verdict('reject', state === 'rejected'),
        );
      });
    const doubts = marks
      .filter(({ repair }) => !repair)
      .map(({ key, words }) =>
        h(
          'li',
          { class: 'open' },
          h('span', { class: 'change' }, words),
          h('span', {}),
          button(say.settle, () => decide(key, 'accept'), {
            'aria-label': `${say.settle}: ${words}`,
          }),
        ),
      );
    const open = changes.filter((row) => row.className === 'open');
    const settled = changes.filter((row) => row.className !== 'open');
    return h(
      'div',
      {},
      h('ul', { class: 'decisions' }, ...doubts, ...open),
      settled.length > 0 &&
        h(
          'details',
          {},
          h('summary', {}, `${count(settled.length)} ${say.settled}`),
          h('ul', { class: 'decisions' }, ...settled),
        ),
    );
  }
}

/** Text with spans marked; of those that overlap the first is. @param {string} text @param {any[]} spans */
function highlighted(text, spans) {
  /** @type {(string | Node)[]} */
  const pieces = [];
  let from = 0;
  for (const { start, end, kind, title } of spans.sort((a, b) => a.start - b.start)) {
    if (start < from) continue;
    pieces.push(
      text.slice(from, start),
      h('mark', { class: kind, title: word(title) }, text.slice(start, end)),
    );
    from = end;
  }
  return [...pieces, text.slice(from)];
}
