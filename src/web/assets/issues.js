// The front page: the issues with how far each has come, and the slots that wait for one.
import { get } from './api.js';
import { h } from './dom.js';
import { slotTable } from './slots.js';
import { say, word } from './words.js';

/** @param {HTMLElement} main */
export async function showIssues(main) {
  async function fill() {
    const { issues } = await get('/api/issues');
    const { slots } = await get('/api/desk').catch(() => ({ slots: null }));
    document.title = `${say.issues} · Broadsheet`;
    main.replaceChildren(
      h(
        'div',
        { class: 'page' },
        h('h1', {}, say.issues),
        issues.length > 0
          ? h('ol', { class: 'issues' }, ...issues.map(row))
          : h('p', { class: 'notice' }, say.none),
        h('h2', { class: 'rule' }, say.nextSlots),
        slotTable(slots),
      ),
    );
  }
  await fill();
  return { changed: () => void fill() };
}

/** @param {{ id: string, title: string, date: string, state: string, drafted: boolean, problem: string }} issue */
function row({ id, title, date, state, drafted, problem }) {
  return h(
    'li',
    {},
    h('span', { class: 'date' }, date || '—'),
    h(
      'span',
      { class: 'title' },
      h('a', { href: `#/issue/${id}` }, title),
      h('span', { class: 'id' }, id),
      problem && h('span', { class: 'problem' }, problem),
    ),
    h('span', { class: `state ${state}` }, word(state)),
    drafted ? h('a', { class: 'side', href: `#/review/${id}` }, say.review) : h('span', {}),
  );
}
