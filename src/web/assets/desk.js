// The desk: campaigns as they run, the coming slots, the list.
import { get, listen, post } from './api.js';
import { confirmed, problemsOf } from './dialogs.js';
import { announce, button, h, put } from './dom.js';
import { timePlot } from './plots.js';
import { slotTable } from './slots.js';
import { count, moment, say, word } from './words.js';

const OUTCOMES = [
  'accepted',
  'failed',
  'unknown',
  'deferred',
  'suppressed',
  'attempting',
  'queued',
  'cancelled',
];
const QUESTIONS = { pause: say.surePause, resume: say.sureResume, cancel: say.sureCancel };

/** @param {HTMLElement} main @param {string} id of a campaign; none: all */
export function showDesk(main, id) {
  return /^\d+$/.test(id) ? showCampaign(main, id) : showAll(main);
}

/** @param {HTMLElement} main */
async function showAll(main) {
  document.title = `${say.desk} · Broadsheet`;
  const { campaigns, slots, list } = await get('/api/desk');
  const box = h('div', { class: 'campaigns' });
  const growth = growthPlot(list.growth);
  const counts = ['active', 'pending', 'unsubscribed']
    .filter((state) => list.readers[state])
    .map((state) => `${count(list.readers[state])} ${word(state)}`);
  main.append(
    h(
      'div',
      { class: 'page' },
      h('h1', {}, say.desk),
      h('h2', { class: 'rule' }, say.campaigns),
      box,
      h('h2', { class: 'rule' }, say.nextSlots),
      slotTable(slots),
      h('h2', { class: 'rule' }, say.list),
      h('p', {}, counts.join(' · ') || say.emptyList),
      growth?.element,
    ),
  );
  const fill = (/** @type {any[]} */ all) =>
    box.replaceChildren(
      ...(all.length > 0
        ? all.map((each) => card(each, true))
        : [h('p', { class: 'notice' }, say.noCampaigns)]),
    );
  fill(campaigns);
  const stop = listen('/api/progress', { campaigns: fill });
  return {
    close() {
      stop();
      growth?.close();
    },
  };
}

/** @param {HTMLElement} main @param {string} id */
async function showCampaign(main, id) {
  const page = h('div', { class: 'page' });
  main.append(page);
  /** @type {ReturnType<typeof timePlot> | undefined} */
  let plot;
  await fill();
  const stop = listen('/api/progress', { campaigns: () => void fill() });
  return {
    close() {
      stop();
      plot?.close();
    },
  };

  async function fill() {
    const campaign = await get(`/api/campaigns/${id}`);
    const { pace, byProvider, reasons, events } = campaign;
    document.title = `${campaign.issue} · ${say.desk}`;
    plot?.close();
    plot = pace.stretches.length > 0 ? pacePlot(pace) : undefined;
    put(
      page,
      h('p', {}, h('a', { href: '#/desk' }, `← ${say.back}`)),
      h('h1', {}, campaign.issue),
      card(campaign, false),
      plot?.element ?? '',
      h('h2', { class: 'rule' }, say.byProvider),
      providers(byProvider),
      reasons.length > 0 && h('h2', { class: 'rule' }, say.reasons),
      reasons.length > 0 &&
        h(
          'ul',
          { class: 'reasons' },
          ...reasons.map((/** @type {any} */ each) =>
            h(
              'li',
              {},
              h('strong', {}, count(each.count)),
              ` ${word(each.state)} · ${each.reason} `,
              h('span', { class: 'small' }, each.example ?? ''),
            ),
          ),
        ),
      h('h2', { class: 'rule' }, say.events),
      h(
        'ul',
        { class: 'events' },
        ...events.map((/** @type {any} */ each) =>
          h(
            'li',
            {},
            h('span', { class: 'date' }, moment(each.at)),
            ` ${word(each.kind)} `,
            h('span', { class: 'small' }, each.detail ?? ''),
          ),
        ),
      ),
    );
  }
}

/** @param {any} campaign @param {boolean} linked */
function card(campaign, linked) {
  const { id, issue, state, channel, planned, counts, startedAt, note, held } = campaign;
  const there = OUTCOMES.filter((name) => counts[name] > 0);
  const verbs =
    { sending: ['pause', 'cancel'], paused: ['resume', 'cancel'] }[
      /** @type {'paused'} */ (state)
    ] ?? [];
  const held_ = held.map(
    (/** @type {any} */ each) => `${each.scope}: ${each.note ?? ''} → ${moment(each.until)}`,
  );
  return h(
    'section',
    { class: 'campaign', 'aria-label': issue },
    h(
      'header',
      {},
      linked ? h('h3', {}, h('a', { href: `#/desk/${id}` }, issue)) : h('h2', {}, `№ ${id}`),
      h('span', { class: `state ${state}` }, word(state)),
      h('span', { class: 'small' }, `${channel} · ${say.started} ${moment(startedAt)}`),
      h(
        'span',
        { class: 'actions' },
        ...verbs.map((verb) =>
          button(word(verb), () => act(id, verb), { 'aria-label': `${word(verb)}: ${issue}` }),
        ),
      ),
    ),
    bar(counts, planned),
    h(
      'p',
      { class: 'legend' },
      ...there.map((name) =>
        h('span', { class: `key ${name}` }, `${count(counts[name])} ${word(name)}`),
      ),
      h('span', { class: 'small' }, `${say.of} ${count(planned)}`),
    ),
    note && h('p', { class: 'problem' }, note),
    ...(state === 'sending'
      ? held_.map((/** @type {string} */ words) => h('p', { class: 'small' }, words))
      : []),
  );
}

/** @param {Record<string, number>} counts @param {number} planned */
function bar(counts, planned) {
  const words = OUTCOMES.filter((name) => counts[name]).map(
    (name) => `${counts[name]} ${word(name)}`,
  );
  const parts = OUTCOMES.filter((name) => counts[name]).map((name) => {
    const piece = h('span', { class: name });
    piece.style.flexGrow = String(counts[name]);
    return piece;
  });
  return h(
    'div',
    { class: 'bar', role: 'img', 'aria-label': `${words.join(', ')} ${say.of} ${planned}` },
    ...parts,
  );
}

/** @param {number} id @param {string} verb */
async function act(id, verb) {
  if (!(await confirmed(Reflect.get(QUESTIONS, verb)))) return;
  try {
    const { state } = await post(`/api/campaigns/${id}/${verb}`);
    announce(word(state));
  } catch (error) {
    announce(problemsOf(error).join(' '));
  }
}

/** @param {Record<string, Record<string, number>>} byProvider */
function providers(byProvider) {
  const sum = (/** @type {Record<string, number>} */ counts) =>
    Object.values(counts).reduce((all, each) => all + each, 0);
  const rows = Object.entries(byProvider)
    .sort(([, a], [, b]) => sum(b) - sum(a))
    .map(([name, counts]) => {
      return h(
        'tr',
        {},
        h('th', { scope: 'row' }, name),
        h('td', { class: 'wide' }, bar(counts, sum(counts))),
        h('td', { class: 'number' }, count(sum(counts))),
        h(
          'td',
          { class: 'number' },
          `${Math.floor((100 * (counts.accepted ?? 0)) / sum(counts))} %`,
        ),
      );
    });
  const head = ['provider', 'outcome', 'readers', 'accepted'].map((key, at) =>
    h('th', { scope: 'col', class: at > 1 && 'number' }, word(key)),
  );
  return h(
    'div',
    { class: 'scroll' },
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows)),
  );
}

/** @param {{ width: number, stretches: any[] }} pace */
function pacePlot({ stretches, width }) {
  // Stretches without a delivery are part of the picture.
  const [first, last] = [stretches[0].at, stretches.at(-1).at];
  const known = new Map(stretches.map((each) => [each.at, each]));
  const times = Array.from(
    { length: Math.round((last - first) / width) + 3 },
    (_, n) => first + (n - 1) * width,
  );
  const series = [
    ['accepted', '--ink'],
    ['failed', '--red'],
    ['unknown', '--grey'],
  ]
    .map(([name = '', ink = '']) => ({
      words: word(name),
      colour: ink,
      values: times.map((time) => known.get(time)?.[name] ?? 0),
    }))
    .filter(({ values }, at) => at === 0 || values.some((value) => value > 0));
  return timePlot(say.overTime, times, series, true);
}

/** @param {{ at: number, readers: number, left: number }[]} days */
function growthPlot(days) {
  const [first] = days;
  if (!first) return undefined;
  const day = 86_400_000;
  const times = [first.at - day, ...days.map(({ at }) => at)];
  return timePlot(say.growth, times, [
    {
      words: say.readers,
      colour: '--red',
      values: [0, ...days.map(({ readers }) => readers)],
    },
  ]);
}
