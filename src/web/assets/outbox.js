// The outbox as a mail reader.
import { get } from './api.js';
import { button, h, kilobytes, put } from './dom.js';
import { mailFrame } from './frame.js';
import { numbered, part } from './parts.js';
import { count, moment, say } from './words.js';

const PAGE = 50;

/** @param {HTMLElement} main @param {string} place `FOLDER` or `FOLDER/FILE` */
export async function showOutbox(main, place) {
  document.title = `${say.outbox} · Broadsheet`;
  const [folder = '', ...rest] = place.split('/');
  let from = 0;
  const frame = mailFrame(say.mail);
  frame.setWidth(680);
  const list = h('ol', { class: 'mails' });
  const pages = h('p', { class: 'actions' });
  const folders = h('select', {
    'aria-label': say.folder,
    on: { change: () => (location.hash = `#/outbox/${folders.value}`) },
  });
  const search = h('input', {
    type: 'search',
    placeholder: say.search,
    'aria-label': say.search,
    on: {
      input: () => {
        from = 0;
        void fill();
      },
    },
  });
  const reader = h('article', { class: 'reader', 'aria-label': say.mail });
  main.append(
    h('h1', { class: 'said-only' }, say.outbox),
    h(
      'div',
      { class: 'columns outbox' },
      h('div', { class: 'side-list' }, h('p', { class: 'tools' }, folders, search), list, pages),
      reader,
    ),
  );
  await fill();
  if (rest.length > 0) await open(place);
  return { close: frame.close };

  async function fill() {
    const query = new URLSearchParams({ folder, search: search.value, from: String(from) });
    const found = await get(`/api/outbox?${query}`);
    folders.replaceChildren(
      ...found.folders.map(
        (/** @type {string} */ name) => new Option(name, name, false, name === found.folder),
      ),
    );
    const rows = found.mails.map((/** @type {any} */ { name, subject, to, at }) =>
      h(
        'li',
        {},
        h(
          'a',
          {
            href: `#/outbox/${encodeURIComponent(name)}`,
            'aria-current': name === place && 'true',
          },
          h('span', { class: 'sender' }, to),
          h('span', { class: 'when' }, moment(at)),
          h('span', { class: 'subject' }, subject),
        ),
      ),
    );
    list.replaceChildren(...(rows.length > 0 ? rows : [h('li', { class: 'notice' }, say.noMail)]));
    const turn = (/** @type {number} */ by) => () => {
      from += by;
      void fill();
    };
    put(
      pages,
      h('span', { class: 'small' }, `${count(found.count)}`),
      from > 0 && button(say.newer, turn(-PAGE)),
      from + PAGE < found.count && button(say.older, turn(PAGE)),
    );
    if (rows.length > 0 && rest.length === 0 && !reader.firstChild) await open(found.mails[0].name);
  }

  /** @param {string} name */
  async function open(name) {
    const mail = await get(`/api/outbox/mail?${new URLSearchParams({ name })}`);
    const field = (/** @type {string} */ words, /** @type {string} */ value) => [
      h('dt', {}, words),
      h('dd', {}, value),
    ];
    const text = h(
      'details',
      {},
      h('summary', {}, say.text),
      h('pre', { class: 'words', tabIndex: 0 }, mail.text),
    );
    const headers = h(
      'details',
      {},
      h('summary', {}, say.headers),
      part(numbered(mail.head), mail.head),
    );
    reader.replaceChildren(
      h('h2', {}, mail.subject),
      h(
        'dl',
        { class: 'fields' },
        ...field(say.from, mail.from),
        ...field(say.to, mail.to),
        ...field(say.size, `${kilobytes(mail.size)} · ${moment(mail.at)}`),
      ),
      headers,
      text,
      frame.stage,
    );
    frame.load(`/outbox/mail?${new URLSearchParams({ name })}`, '');
  }
}
