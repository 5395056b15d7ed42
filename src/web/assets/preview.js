// One issue, live: the very bytes, in the ways in which mail programs bend them.
import { get, post, Refused } from './api.js';
import { problemsOf, showPhone, showTest } from './dialogs.js';
import { announce, button, h, put } from './dom.js';
import { mailFrame } from './frame.js';
import { checks, inboxes, inboxRow, sizes, wordsOf } from './panel.js';
import { comparison, copyHtml, numbered, part } from './parts.js';
import { inChinese, say, word } from './words.js';

const PARTS = [
  'mail',
  'inbox',
  'text',
  'html',
  'mjml',
  'mime',
  'headers',
  'source',
  'changes',
  'web',
];
/** Those that are seen on the stage, at a width. */
const STAGED = new Set(['mail', 'web']);
/** Of each part, in their order. */
const DIGITS = '1234567890';
const WIDTHS = [
  [1024, 'desktop'],
  [768, 'tablet'],
  [375, 'phone'],
  [320, 'small'],
];
const LOOKS = ['light', 'dark', 'partial', 'full'];
const [NARROWEST, WIDEST, STEP] = [240, 1400, 16];

/** What was chosen stays chosen from issue to issue. */
const chosen = {
  part: 'mail',
  width: innerWidth < 700 ? 375 : 1024,
  look: '',
  images: false,
  styles: false,
  reader: 'no-name',
};

/** @param {HTMLElement} main @param {string} id */
export async function showPreview(main, id) {
  const { issues, readers, segments } = await get('/api/issues');
  /** @type {any} */
  let issue;
  /** Of the issue as it is shown; undefined while the checks look. @type {any[] | undefined} */
  let findings;
  let staged = 'mail';
  let asked = 0;
  let closed = false;
  const frame = mailFrame(say.mail);
  const problems = h('div', { class: 'problems', role: 'alert', hidden: true });
  const state = h('span', { class: 'state' });
  const approve = button(say.approve, approveIt);
  const body = h('div', { class: 'body', id: 'part', role: 'tabpanel' });
  const panel = h('aside', { class: 'panel', 'aria-label': say.checks });
  const note = h('p', { class: 'simulated', role: 'note' });
  const px = h('output', { class: 'px' });
  const handle = h('div', {
    class: 'handle',
    role: 'separator',
    tabIndex: 0,
    'aria-orientation': 'vertical',
    'aria-label': say.resize,
    'aria-valuemin': NARROWEST,
    'aria-valuemax': WIDEST,
    on: { keydown: stepWidth, pointerdown: drag },
  });
  const stageBox = h('div', { class: 'stage-box' }, frame.stage, handle);
  const tabs = PARTS.map((name, n) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${name}`,
        'aria-controls': 'part',
        title: DIGITS[n],
        on: { click: () => choosePart(name) },
      },
      word(name),
    ),
  );
  const picker = h(
    'select',
    { 'aria-label': say.issue, on: { change: () => (location.hash = `#/issue/${picker.value}`) } },
    ...issues.map(
      (/** @type {any} */ each) =>
        new Option(`${each.date || '⚠'}  ${each.title}`, each.id, false, each.id === id),
    ),
  );
  const whom = h(
    'select',
    { 'aria-label': say.reader, on: { change: chooseReader } },
    ...readers.map((/** @type {any} */ { key }) => new Option(word(key), key)),
    ...segments.map(
      (/** @type {string} */ name) => new Option(`${say.segment} ${name}`, `segment:${name}`),
    ),
    new Option(say.someone, ''),
  );
  const lookTools = [
    choice(
      'look',
      say.look,
      LOOKS.map((name) => [name, word(name)]),
      look(),
      (value) => {
        chosen.look = value;
        showMail();
      },
    ),
    toggle('images', say.imagesOff),
    toggle('styles', say.stylesOff),
  ];
  const mailTools = h(
    'div',
    { class: 'mail-tools' },
    choice(
      'width',
      say.width,
      WIDTHS.map(([pixels, name]) => [String(pixels), word(String(name))]),
      String(chosen.width),
      (value) => setWidth(Number(value)),
    ),
    px,
    ...lookTools,
  );
  const reviewLink =
    issues.some((/** @type {any} */ each) => each.id === id && each.drafted) &&
    h('a', { class: 'button', href: `#/review/${id}` }, say.keyReview);
  const title = h('h1', { class: 'said-only' });
  main.append(
    title,
    h(
      'div',
      { class: 'issue-bar' },
      picker,
      state,
      h('label', { class: 'whom' }, `${say.reader} `, whom),
      h(
        'span',
        { class: 'actions' },
        reviewLink,
        button(say.toPhone, () => showPhone(id, chosen.reader)),
        button(say.wechat, copyForWechat),
        button(say.sendTest, () => showTest(id)),
        approve,
      ),
    ),
    h(
      'div',
      { class: 'tabs', role: 'tablist', 'aria-label': say.parts, on: { keydown: stepTab } },
      ...tabs,
    ),
    problems,
    h(
      'div',
      { class: 'columns' },
      h('div', { class: 'center' }, mailTools, note, stageBox, body),
      panel,
    ),
  );
  whom.value = chosen.reader;
  if (whom.value !== chosen.reader) whom.value = chosen.reader = 'no-name';
  setWidth(chosen.width);
  choosePart(chosen.part);
  await load();
  return {
    close() {
      closed = true;
      frame.close();
    },
    changed: () => void load(),
    keys: {
      ...Object.fromEntries(PARTS.map((name, n) => [DIGITS[n], () => choosePart(name)])),
      w: () => next('width'),
      l: () => next('look'),
      i: () => /** @type {HTMLElement} */ (main.querySelector('[name=images]')).click(),
      s: () => /** @type {HTMLElement} */ (main.querySelector('[name=styles]')).click(),
      t: () => showTest(id),
      r: () => (location.hash = `#/review/${id}`),
    },
  };

  /** Fetches the issue as it is now; what is wrong with it stands over the last good state. */
  async function load() {
    asked += 1;
    const mine = asked;
    try {
      const fresh = await get(
        `/api/issues/${id}?${new URLSearchParams({ reader: chosen.reader })}`,
      );
      if (mine !== asked || closed) return;
      problems.hidden = true;
      const isSame = issue?.hash === fresh.hash && issue?.to.address === fresh.to.address;
      issue = fresh;
      // The mail first: what is wrong with it is looked for when it can be seen.
      if (isSame) void check();
      else showMail();
      fill();
    } catch (error) {
      if (mine === asked && !closed) showProblems(error);
    }
  }

  /** What the checks say of the issue as it is shown. */
  async function check() {
    const mine = asked;
    const query = new URLSearchParams({ reader: chosen.reader });
    try {
      const found = await get(`/api/issues/${id}/findings?${query}`);
      if (mine !== asked || closed) return;
      findings = found.findings;
      fillPanel();
      if (chosen.part === 'source') keepPlace(showPart);
    } catch (error) {
      if (mine === asked && !closed) showProblems(error);
    }
  }

  function fill() {
    document.title = `${issue.subject} · Broadsheet`;
    title.textContent = issue.title;
    const now = issue.approved ? 'approved' : 'edited';
    const gone = issues.find((/** @type {any} */ each) => each.id === id)?.state;
    const stamp =
      gone === 'sent' || gone === 'sending' || (gone === 'draft' && now === 'edited') ? gone : now;
    state.className = `state ${stamp}`;
    state.textContent = word(stamp);
    approve.disabled = issue.approved;
    fillPanel();
    keepPlace(showPart);
  }

  function fillPanel() {
    panel.replaceChildren(inboxRow(issue), checks(findings, issue.file, jump), sizes(issue));
  }

  /** @param {() => void} change of the part that is read */
  function keepPlace(change) {
    const place = body.querySelector('ol')?.scrollTop ?? 0;
    change();
    body.querySelector('ol')?.scrollTo(0, place);
  }

  /** @param {unknown} error */
  function showProblems(error) {
    const list = error instanceof Refused ? error.problems : [{ message: String(error) }];
    problems.hidden = false;
    const [what, todo] = (error instanceof Refused && inChinese(error.code)) || [];
    put(
      problems,
      what && h('p', {}, h('strong', {}, what), ` ${todo}`),
      ...list.map(({ message, file, line, column, hint, excerpt }) =>
        h(
          'div',
          {},
          h(
            'p',
            {},
            file && h('strong', {}, [file, line, column].filter(Boolean).join(':')),
            ` ${message}`,
          ),
          hint && h('p', { class: 'small' }, hint),
          excerpt &&
            h(
              'ol',
              { class: 'code excerpt', start: excerpt.from },
              ...excerpt.lines.map((text, at) =>
                h(
                  'li',
                  { value: excerpt.from + at, class: excerpt.from + at === line ? 'noted' : '' },
                  h('code', {}, text || ' '),
                ),
              ),
            ),
        ),
      ),
      issue && h('p', { class: 'small' }, say.lastGood),
    );
  }

  function look() {
    if (chosen.look) return chosen.look;
    return isDark() ? 'dark' : 'light';
  }

  function showMail() {
    if (!issue) return;
    for (const tool of lookTools) tool.hidden = staged === 'web';
    if (staged === 'web') {
      note.textContent = say.webNote;
      frame.load(
        `/page/${id}?of=${issue.hash.slice(0, 8)}`,
        isDark() ? 'dark' : 'light',
        () => void check(),
      );
      return;
    }
    const wanted = look();
    const query = new URLSearchParams({ reader: chosen.reader, of: issue.hash.slice(0, 8) });
    // As this machine has it, the mail is shown byte for byte.
    if (wanted !== (isDark() ? 'dark' : 'light')) query.set('scheme', wanted);
    if (chosen.images) query.set('images', 'off');
    if (chosen.styles) query.set('styles', 'off');
    frame.load(`/mail/${id}?${query}`, wanted === 'dark' ? 'dark' : 'light', () => void check());
    const notes = [
      { light: '', dark: say.authorsDark, partial: say.simulated, full: say.simulated }[wanted],
      chosen.images && say.imagesOffNote,
      chosen.styles && say.stylesOffNote,
    ];
    note.textContent = notes.filter(Boolean).join(' ');
  }

  function showPart() {
    const isStaged = STAGED.has(chosen.part);
    stageBox.hidden = mailTools.hidden = note.hidden = !isStaged;
    body.hidden = isStaged;
    if (isStaged || !issue) return body.replaceChildren();
    const file = (/** @type {string} */ ending) =>
      `/files/${id}/${ending}?${new URLSearchParams({ reader: chosen.reader })}`;
    const shown = {
      inbox: () => inboxes(issue),
      text: () =>
        part(h('pre', { class: 'words', tabIndex: 0 }, issue.text), issue.text, file('txt')),
      html: () => part(numbered(issue.html), issue.html, file('html')),
      mjml: () => part(numbered(issue.mjml), issue.mjml, file('mjml')),
      mime: () => part(numbered(issue.mime), issue.mime, file('eml')),
      headers: () => part(numbered(issue.headers), issue.headers, file('eml')),
      source: () => part(numbered(issue.source, notesByLine()), issue.source),
      changes: () => changes(),
    }[/** @type {'text'} */ (chosen.part)]();
    body.replaceChildren(shown);
  }

  function changes() {
    const box = h('div', {});
    get(`/api/issues/${id}/difference`).then(
      (found) => box.replaceChildren(comparison(found.comparison)),
      (error) => box.replaceChildren(h('p', { class: 'notice' }, problemsOf(error).join(' '))),
    );
    return box;
  }

  /** Findings beneath the line that they are about. */
  function notesByLine() {
    /** @type {Map<number, Node[]>} */
    const notes = new Map();
    for (const finding of findings ?? []) {
      if (!finding.line || finding.file !== issue.file) continue;
      const before = notes.get(finding.line) ?? [];
      notes.set(finding.line, [
        ...before,
        h('span', { class: finding.severity }, ...wordsOf(finding)),
      ]);
    }
    return notes;
  }

  /** @param {{ line?: number }} finding */
  function jump({ line }) {
    choosePart('source');
    const place = document.getElementById(`line-${line}`);
    const list = place?.parentElement;
    if (!place || !list) return;
    place.classList.add('meant');
    list.scrollTop = place.offsetTop - list.offsetTop - list.clientHeight / 3;
    list.scrollIntoView({ block: 'nearest' });
  }

  /** @param {string} name */
  function choosePart(name) {
    chosen.part = name;
    tabs.forEach((tab, n) => {
      const isChosen = PARTS[n] === name;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    });
    body.setAttribute('aria-labelledby', `tab-${name}`);
    showPart();
    if (!STAGED.has(name) || name === staged) return;
    staged = name;
    showMail();
  }

  /** @param {KeyboardEvent} event */
  function stepTab({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const at = (PARTS.indexOf(chosen.part) + step + PARTS.length) % PARTS.length;
    choosePart(PARTS[at] ?? 'mail');
    tabs[at]?.focus();
  }

  /** @param {number} pixels */
  function setWidth(pixels) {
    chosen.width = Math.min(WIDEST, Math.max(NARROWEST, Math.round(pixels)));
    frame.setWidth(chosen.width);
    stageBox.style.setProperty('--width', `${chosen.width}px`);
    px.textContent = `${chosen.width} px`;
    handle.setAttribute('aria-valuenow', String(chosen.width));
    for (const input of mailTools.querySelectorAll('[name=width]'))
      input.checked = input.value === String(chosen.width);
  }

  /** @param {KeyboardEvent} event */
  function stepWidth(event) {
    const step = { ArrowRight: STEP, ArrowLeft: -STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    setWidth(chosen.width + step);
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    event.preventDefault();
    const [from, width] = [event.clientX, chosen.width];
    handle.setPointerCapture(event.pointerId);
    // The mail stands in the middle: it grows on both sides.
    const move = (/** @type {PointerEvent} */ moved) =>
      setWidth(width + 2 * (moved.clientX - from));
    handle.addEventListener('pointermove', move);
    handle.addEventListener(
      'lostpointercapture',
      () => handle.removeEventListener('pointermove', move),
      { once: true },
    );
  }

  /** @param {'width' | 'look'} name */
  function next(name) {
    const inputs = [...mailTools.querySelectorAll(`[name=${name}]`)];
    const at = inputs.findIndex((input) => input.checked);
    inputs[(at + 1) % inputs.length].click();
  }

  function chooseReader() {
    const address = whom.value || prompt(say.whichReader) || 'no-name';
    if (![...whom.options].some(({ value }) => value === address))
      whom.add(new Option(address, address), 0);
    whom.value = chosen.reader = address;
    void load();
  }

  async function approveIt() {
    try {
      await post(`/api/issues/${id}/approve`, { approval: issue.approval });
      announce(say.approvedNow);
      await load();
    } catch (error) {
      announce(problemsOf(error).join(' '));
    }
  }

  async function copyForWechat() {
    try {
      const { html } = await get(`/api/issues/${id}/wechat`);
      await copyHtml(html, say.wechatDone);
    } catch (error) {
      announce(problemsOf(error).join(' '));
    }
  }

  /** @param {'images' | 'styles'} name @param {string} words */
  function toggle(name, words) {
    const input = h('input', {
      type: 'checkbox',
      name,
      checked: chosen[name],
      on: {
        change: () => {
          chosen[name] = input.checked;
          showMail();
        },
      },
    });
    return h('label', { class: 'toggle' }, input, words);
  }
}

function isDark() {
  const set = document.documentElement.style.colorScheme;
  return set ? set === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

/**
 * One of several.
 * @param {string} name @param {string} legend @param {string[][]} options value and words
 * @param {string} value @param {(value: string) => void} choose
 */
function choice(name, legend, options, value, choose) {
  const radios = options.map(([each = '', words = '']) =>
    h(
      'label',
      {},
      h('input', {
        type: 'radio',
        name,
        value: each,
        checked: each === value,
        on: { change: () => choose(each) },
      }),
      h('span', {}, words),
    ),
  );
  return h('fieldset', { class: 'choice' }, h('legend', {}, legend), ...radios);
}
