// The studio's page: shows what the server composed, and follows the files.

const words = {
  en: {
    issue: 'Issue',
    mail: 'Mail',
    text: 'Text',
    headers: 'Headers',
    source: 'Source',
    width: 'Width',
    phone: 'Phone',
    desktop: 'Desktop',
    mode: 'Mode',
    light: 'Light',
    dark: 'Dark',
    imagesOff: 'Images off',
    stylesOff: 'Styles off',
    approved: 'Approved',
    notApproved: 'Not approved',
    none: 'No issues yet',
    fine: 'No findings',
    lastGood: 'The last good state is shown below.',
  },
  zh: {
    issue: '期',
    mail: '邮件',
    text: '纯文本',
    headers: '邮件头',
    source: '源码',
    width: '宽度',
    phone: '手机',
    desktop: '电脑',
    mode: '模式',
    light: '浅色',
    dark: '深色',
    imagesOff: '不显示图片',
    stylesOff: '不用样式表',
    approved: '已批准',
    notApproved: '未批准',
    none: '还没有任何一期',
    fine: '没有发现问题',
    lastGood: '下面是上一次正常的样子。',
  },
};
const say = words[navigator.language.startsWith('zh') ? 'zh' : 'en'];
const at = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll('[role="tab"]')];

document.documentElement.lang = say === words.zh ? 'zh-CN' : 'en';
for (const element of document.querySelectorAll('[data-say]'))
  element.textContent = say[element.dataset.say];

async function listIssues() {
  const issues = await (await fetch('/api/issues')).json();
  const wanted = at('issues').value || decodeURIComponent(location.hash.slice(1));
  at('issues').replaceChildren(
    ...issues.map(({ id, title, date }) => new Option(`${date || '⚠'} ${title}`, id)),
  );
  if (issues.some(({ id }) => id === wanted)) at('issues').value = wanted;
  at('state').textContent = issues.length === 0 ? say.none : '';
}

/** Shows the chosen issue, or what is wrong with it over its last good state. */
async function show() {
  const id = at('issues').value;
  if (!id) return;
  const response = await fetch(`/api/issues/${id}`);
  const issue = await response.json();
  at('problems').hidden = response.ok;
  if (!response.ok) {
    at('problems').textContent = [...(issue.problems ?? [issue]).map(describe), say.lastGood].join(
      '\n',
    );
    return;
  }
  for (const part of ['from', 'subject', 'preheader', 'text', 'headers', 'mjml', 'source'])
    at(part).textContent = issue[part];
  at('state').textContent = issue.approved ? `✓ ${say.approved}` : say.notApproved;
  at('sizes').textContent =
    `HTML ${kilobytes(issue.bytes.html)} · ${kilobytes(issue.bytes.message)} · SHA-256 ${issue.hash.slice(0, 16)}`;
  at('findings').replaceChildren(...findings(issue.findings));
  document.title = issue.subject;
  showMail();
}

function describe({ file, line, column, message, hint }) {
  const place = [file, line, column].filter(Boolean).join(':');
  return [place && `${place}: `, message, hint && `\n  ${hint}`].filter(Boolean).join('');
}

function findings(list) {
  const lines = list.length === 0 ? [{ severity: 'info', message: say.fine }] : list;
  return lines.map((finding) => {
    const line = document.createElement('li');
    line.className = finding.severity;
    line.textContent = describe(finding);
    return line;
  });
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** Loads the mail into its frame and keeps the place where one was reading. */
function showMail() {
  const frame = at('mail');
  const query = new URLSearchParams({ mode: checked('mode') });
  for (const part of ['images', 'styles'])
    if (document.querySelector(`[name=${part}]`).checked) query.set(part, 'off');
  const place = frame.contentWindow?.scrollY ?? 0;
  frame.style.maxWidth = `${checked('width')}px`;
  frame.onload = () => frame.contentWindow.scrollTo(0, place);
  frame.contentWindow.location.replace(`/mail/${at('issues').value}?${query}`);
}

function checked(name) {
  return document.querySelector(`[name=${name}]:checked`).value;
}

function select(tab) {
  for (const other of tabs) {
    const isChosen = other === tab;
    other.setAttribute('aria-selected', String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    at(other.dataset.tab).hidden = !isChosen;
  }
}

for (const tab of tabs) tab.addEventListener('click', () => select(tab));
at('tabs').addEventListener('keydown', ({ key }) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!step) return;
  const next = tabs.at((tabs.indexOf(document.activeElement) + step) % tabs.length);
  select(next);
  next.focus();
});
document.querySelector('.bar').addEventListener('change', showMail);
at('issues').addEventListener('change', () => {
  history.replaceState(null, '', `#${at('issues').value}`);
  show();
});
new EventSource('/api/changes').addEventListener('change', async () => {
  await listIssues();
  await show();
});

select(tabs[0]);
await listIssues();
await show();
