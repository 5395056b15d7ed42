// The coming slots, each with its issue or what is missing.
import { h } from './dom.js';
import { moment, say } from './words.js';

/** @param {{ at: number, zone: string, issue: string | null, missing: string | null }[] | null} slots */
export function slotTable(slots) {
  if (!slots) return h('p', { class: 'notice' }, say.noSchedule);
  const head = h(
    'tr',
    {},
    ...[say.slot, say.issue].map((words) => h('th', { scope: 'col' }, words)),
  );
  const rows = slots.map(({ at, issue, missing }) =>
    h(
      'tr',
      {},
      h('td', { class: 'date' }, moment(at)),
      h(
        'td',
        {},
        issue
          ? h('a', { href: `#/issue/${issue}` }, `${issue} · ${say.ready}`)
          : h('span', { class: 'missing' }, `${say.missing}: ${missing}`),
      ),
    ),
  );
  return h(
    'div',
    { class: 'scroll' },
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)),
  );
}
