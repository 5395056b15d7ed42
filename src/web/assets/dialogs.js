// Dialogs: test mail, phone, shortcuts, and the question before something is done.
import { post, Refused } from './api.js';
import { announce, button, h, openDialog } from './dom.js';
import { moment, say } from './words.js';

/** Asks before it acts. @param {string} question @returns {Promise<boolean>} */
export function confirmed(question) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = button(
      say.yes,
      () => {
        answer = true;
        dialog.close();
      },
      { class: 'primary' },
    );
    const dialog = openDialog(
      question,
      say.close,
      h(
        'p',
        { class: 'actions' },
        yes,
        button(say.no, () => dialog.close()),
      ),
    );
    dialog.addEventListener('close', () => resolve(answer));
  });
}

/** @param {string} issue */
export function showTest(issue) {
  const results = h('ul', { class: 'results', 'aria-live': 'polite' });
  const input = h('input', {
    name: 'addresses',
    id: 'test-addresses',
    autocomplete: 'email',
    required: true,
    value: localStorage.getItem('broadsheet-test') ?? '',
  });
  const submit = h('button', { class: 'primary' }, say.send);
  const note = h('p', { class: 'small' }, say.testNote);
  const form = h(
    'form',
    { class: 'form', on: { submit: send } },
    h('label', { htmlFor: 'test-addresses' }, say.addresses5),
    input,
    note,
    submit,
    results,
  );
  openDialog(say.sendTestTitle, say.close, form);
  input.focus();

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    submit.disabled = true;
    localStorage.setItem('broadsheet-test', input.value);
    try {
      const sent = await post(`/api/issues/${issue}/test`, { addresses: input.value });
      results.replaceChildren(
        ...sent.results.map((/** @type {any} */ { address, outcome }) =>
          h(
            'li',
            { class: outcome.state },
            `${outcome.state === 'accepted' ? '✓' : '✗'} ${address} `,
            sent.channel === 'outbox'
              ? h('a', { href: '#/outbox/test' }, say.outbox)
              : h('span', {}, outcome.reply ?? ''),
          ),
        ),
      );
    } catch (error) {
      results.replaceChildren(
        ...problemsOf(error).map((words) => h('li', { class: 'failed' }, words)),
      );
    }
    submit.disabled = false;
  }
}

/** @param {string} issue @param {string} reader */
export async function showPhone(issue, reader) {
  try {
    const { url, expiresAt, svg } = await post(`/api/issues/${issue}/phone`, { reader });
    const code = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    code.setAttribute('role', 'img');
    code.setAttribute('aria-label', url);
    openDialog(
      say.phoneTitle,
      say.close,
      h('div', { class: 'qr' }, code),
      h('p', { class: 'small' }, `${say.phoneNote} ${moment(expiresAt)}`),
      h('p', { class: 'small' }, h('a', { href: url, target: '_blank', rel: 'noreferrer' }, url)),
    );
  } catch (error) {
    announce(problemsOf(error).join(' '));
  }
}

export function showShortcuts() {
  const keys = [
    ['g', say.keyIssues],
    ['d', say.keyDesk],
    ['o', say.keyOutbox],
    ['1 – 9, 0', say.keyParts],
    ['w', say.keyWidth],
    ['l', say.keyLook],
    ['i', say.keyImages],
    ['s', say.keyStyles],
    ['t', say.keyTest],
    ['r', say.keyReview],
    ['?', say.keyHelp],
  ];
  const rows = keys.flatMap(([key, words]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, words)]);
  openDialog(say.shortcuts, say.close, h('dl', { class: 'keys' }, ...rows));
}

/** @param {unknown} error @returns {string[]} */
export function problemsOf(error) {
  if (!(error instanceof Refused)) return [String(error)];
  return error.problems.map(({ message, hint }) => (hint ? `${message}. ${hint}` : message));
}
