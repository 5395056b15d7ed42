// The studio's page: the masthead, and which view is shown for an address.

import { get, listen } from './api.js';
import { showDesk } from './desk.js';
import { showShortcuts } from './dialogs.js';
import { announce, at, button, h } from './dom.js';
import { showIssues } from './issues.js';
import { showOutbox } from './outbox.js';
import { showPreview } from './preview.js';
import { showReview } from './review.js';
import { language, say, switchLanguage } from './words.js';

/**
 * @typedef {{ close?: () => void, changed?: () => void, keys?: Record<string, () => void> }} View
 * @typedef {(main: HTMLElement, name: string) => View | Promise<View>} Show
 */

/** @type {Record<string, Show>} */
const VIEWS = {
  issues: showIssues,
  issue: showPreview,
  review: showReview,
  desk: showDesk,
  outbox: showOutbox,
};
/** Which entry of the masthead a view belongs to. */
const ENTRY = {
  issues: 'issues',
  issue: 'issues',
  review: 'issues',
  desk: 'desk',
  outbox: 'outbox',
};

/** @type {View} */
let view = {};
let turn = 0;

function route() {
  const [, name = '', ...rest] = decodeURIComponent(location.hash).split('/');
  const known = Object.hasOwn(VIEWS, name) ? name : 'issues';
  return { name: /** @type {keyof typeof ENTRY} */ (known), rest: rest.join('/') };
}

async function show() {
  const { name, rest } = route();
  turn += 1;
  const mine = turn;
  view.close?.();
  view = {};
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  for (const link of at('masthead').querySelectorAll('nav a')) {
    const isHere = link.dataset.entry === ENTRY[name];
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const main = at('main');
  main.className = `view-${name}`;
  main.replaceChildren();
  try {
    const shown = await VIEWS[name](main, rest);
    if (mine === turn) view = shown;
    else shown.close?.();
  } catch (error) {
    if (mine === turn)
      main.replaceChildren(
        h('p', { class: 'notice', role: 'alert' }, String(/** @type {Error} */ (error).message)),
      );
  }
}

function masthead() {
  const entry = (/** @type {string} */ key, /** @type {string} */ words) =>
    h('a', { href: `#/${key}`, 'data-entry': key }, words);
  at('masthead').append(
    h('a', { class: 'skip', href: '#main', on: { click: skip } }, say.skip),
    h(
      'p',
      { class: 'nameplate' },
      h('a', { href: '#/issues' }, 'Broadsheet'),
      h('span', { id: 'paper' }),
    ),
    h(
      'nav',
      { 'aria-label': 'Broadsheet' },
      entry('issues', say.issues),
      entry('desk', say.desk),
      entry('outbox', say.outbox),
    ),
    h(
      'p',
      { class: 'tools' },
      button(say.language, switchLanguage, { lang: language === 'zh' ? 'en' : 'zh-CN' }),
      button('◐', switchTheme, { 'aria-label': say.theme, title: say.theme }),
      button('?', showShortcuts, { 'aria-label': say.shortcuts, title: say.shortcuts }),
    ),
  );
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  at('main').focus();
}

const THEME = 'broadsheet-theme';

function switchTheme() {
  const isDark =
    getComputedStyle(document.documentElement).colorScheme === 'dark' ||
    (matchMedia('(prefers-color-scheme: dark)').matches && !localStorage.getItem(THEME));
  localStorage.setItem(THEME, isDark ? 'light' : 'dark');
  setTheme();
  view.changed?.();
}

function setTheme() {
  document.documentElement.style.colorScheme = localStorage.getItem(THEME) ?? '';
}

/** @type {Record<string, () => void>} */
const KEYS = {
  g: () => (location.hash = '#/issues'),
  d: () => (location.hash = '#/desk'),
  o: () => (location.hash = '#/outbox'),
  '?': showShortcuts,
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const isTyping =
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
    !/^(radio|checkbox)$/.test(/** @type {HTMLInputElement} */ (target).type);
  if (
    isTyping ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    document.querySelector('dialog')
  )
    return;
  const action = view.keys?.[event.key] ?? KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// The key of this start has done its work; it belongs into no screenshot.
history.replaceState(null, '', `/${location.hash}`);
document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
setTheme();
masthead();
document.addEventListener('keydown', onKey);
addEventListener('hashchange', show);
const source = listen('/api/changes', { change: () => view.changed?.() });
addEventListener('pagehide', source);
get('/api/issues').then(
  ({ name }) => (at('paper').textContent = name),
  () => {},
);
await show().catch((error) => announce(String(error)));
