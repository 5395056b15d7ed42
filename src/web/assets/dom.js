// Elements without a framework, and the few things that every view does with them.

/** @typedef {Record<string, unknown>} Properties */

/**
 * Makes an element. What the element knows as a property is set as one, the rest as attributes; `on` holds listeners.
 * @param {string} tag
 * @param {Properties & { on?: Record<string, (event: any) => void> }} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, ...others } = properties;
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') element.className = String(value);
    else if (name in element && !name.includes('-')) Reflect.set(element, name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.filter((child) => child || child === '').map((child) => child || ''));
  return element;
}

/** Puts children in the place of those that are there. @param {Element} element @param {...(Node | string | null | undefined | false)} children */
export function put(element, ...children) {
  element.replaceChildren(
    ...children.filter((child) => child || child === '').map((child) => child || ''),
  );
}

/** @param {string} id @returns {any} */
export function at(id) {
  return document.getElementById(id);
}

/** Says something to everybody, also to a screen reader; it goes by itself. @param {string} words */
export function announce(words) {
  const said = at('said');
  said.textContent = words;
  said.classList.add('shown');
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => said.classList.remove('shown'), 4000);
}
/** @type {ReturnType<typeof setTimeout> | undefined} */
announce.timer = undefined;

/**
 * A button that does something.
 * @param {string} words
 * @param {(event: any) => void} action
 * @param {Properties} [properties]
 */
export function button(words, action, properties = {}) {
  return h('button', { type: 'button', on: { click: action }, ...properties }, words);
}

/**
 * A dialog that closes with Escape, and is gone when it is closed.
 * @param {string} title
 * @param {string} closing words of the button that closes it
 * @param {...(Node | string)} children
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, closing, ...children) {
  const close = button('✕', () => dialog.close(), { class: 'close', 'aria-label': closing });
  const head = h('div', { class: 'head' }, h('h2', { id: 'dialog-title' }, title), close);
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title', on: { close: () => dialog.remove() } },
    head,
    ...children,
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {number} bytes */
export function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;
}
