/** The words that templates say themselves, in the languages that Broadsheet speaks. */

export type Language = 'zh' | 'en';

/** Words for a reader of a BCP 47 language; whoever reads neither gets English. */
export function languageOf(tag: string): Language {
  return /^zh\b/i.test(tag) ? 'zh' : 'en';
}

const zh = {
  contents: '本期内容',
  advertisement: '广告',
  source: '来源',
  colon: '：',
  comma: '、',
  why: '您收到这封邮件，是因为您订阅了《{name}》。',
  sender: '发件人',
  contact: '联系',
  postalAddress: '地址',
  unsubscribe: '退订',
  web: '网页版',

  unsubscribeTitle: '退订《{name}》',
  unsubscribeText: '退订之后，{address} 不会再收到《{name}》。',
  unsubscribeButton: '确认退订',
  unsubscribeLeave: '不想退订？关闭本页即可，不会有任何变化。',
  unsubscribedTitle: '已退订',
  unsubscribedText: '{address} 不会再收到《{name}》。',
  unsubscribedLater: '已经在途中的一期可能还会送达。感谢您一路阅读。',
  invalidLinkTitle: '链接无效',
  invalidLinkText: '这个链接不完整，或已经失效。从邮件里复制链接时，请确认复制了完整的地址。',
  invalidLinkHelp: '还是不行？写信给我们，我们会为您处理：',
  homeTitle: '往期',
  homeText: '《{name}》已经发出的各期：',
  homeEmpty: '《{name}》还没有发出过。',
  notFoundTitle: '没有这个页面',
  notFoundText: '地址可能写错了，或者页面已经移走。',

  consent: '点击“订阅”，即表示您同意通过电子邮件接收《{name}》。您可以随时一键退订。',
  privacy: '隐私说明',
  subscribeTitle: '订阅《{name}》',
  subscribeAddress: '电子邮箱',
  subscribeButton: '订阅',
  subscribeTrap: '请勿填写此栏',
  subscribeNext: '我们会给您发一封邮件。点开邮件里的链接并确认，订阅才会生效。',
  subscribeAgain: '还差一步：请核对邮箱，然后再点一次“订阅”。',
  subscribeInvalid: '这不是一个完整的邮箱地址。请写成 anna@example.net 这样。',
  subscribeTypo: '您是想写 {address} 吗？',
  subscribeTypoYes: '是，用 {address}',
  subscribeTypoNo: '不是，用 {address}',
  subscribeClosed: '《{name}》目前不接受新的订阅。',
  askedTitle: '请查收邮件',
  askedText: '如果这个地址能收信，我们已经给它发了一封邮件。请打开邮件里的链接，完成最后一步。',
  askedLater: '几分钟后还没收到？请看看垃圾邮件箱，并核对地址有没有写错。',
  tooManyTitle: '请稍后再试',
  tooManyText: '您所在的网络在短时间内提出了太多请求。请过一会儿再试。',
  confirmTitle: '确认订阅《{name}》',
  confirmText: '{address} 将会收到《{name}》。',
  confirmButton: '确认订阅',
  confirmLeave: '不是您本人订阅的？关闭本页即可，不会有任何变化。',
  confirmMoveTitle: '确认新邮箱',
  confirmMoveText: '今后《{name}》将寄到 {address}。',
  confirmMoveButton: '确认新邮箱',
  confirmedTitle: '订阅成功',
  confirmedText: '{address} 会收到下一期《{name}》。',
  movedTitle: '邮箱已更换',
  movedText: '今后《{name}》将寄到 {address}。',
  usedTitle: '已经确认过了',
  usedText: '{address} 已经确认，无需再做什么。',
  expiredTitle: '链接已过期',
  expiredText: '确认链接的有效期为 72 小时，而且只有最新一封邮件里的链接有效。',
  expiredButton: '重新发送确认邮件',
  undoText: '点错了？',
  undoButton: '恢复订阅',
  undoneTitle: '订阅已恢复',
  undoneText: '{address} 会继续收到《{name}》。',
  linkTitle: '给我发一个链接',
  linkText: '请写下订阅时用的邮箱。我们会把退订和设置的链接发给您。',
  linkButton: '发送链接',
  invalidLinkForm: '写下订阅时用的邮箱，我们会把新的链接发给您，您可以用它退订或更改设置：',
  preferences: '订阅设置',
  preferencesTitle: '订阅设置',
  preferencesText: '{address} 订阅了《{name}》。',
  preferencesLeft: '{address} 没有订阅《{name}》。',
  preferencesSaved: '已保存。',
  preferencesLanguage: '邮件和页面的语言',
  preferencesSave: '保存',
  preferencesAddress: '更换邮箱',
  preferencesAddressHint: '我们会先给新邮箱发一封确认邮件；确认之后，也会通知现在的邮箱。',
  preferencesAddressLabel: '新邮箱',
  preferencesAddressButton: '更换邮箱',
  preferencesUnsubscribe: '退订',
  chinese: '中文',
  english: 'English',

  confirmMailSubject: '请确认订阅《{name}》',
  confirmMailText: '有人（但愿是您本人）用这个邮箱订阅了《{name}》。',
  confirmMailLink: '请打开下面的链接并点击按钮来确认（72 小时内有效）：',
  confirmMailNotYou: '如果不是您本人操作，什么都不用做：您不会再收到我们的邮件。',
  alreadyMailSubject: '您已经订阅了《{name}》',
  alreadyMailText: '有人用这个邮箱订阅《{name}》，而您早已是订阅者了，一切照旧。',
  alreadyMailNotYou: '如果不是您本人操作，什么都不用做。',
  preferencesMailLink: '语言、邮箱等设置：',
  linkMailSubject: '您的《{name}》链接',
  linkMailText: '您要的链接在这里。用它们可以退订《{name}》，或更改设置。',
  linkMailNotYou: '如果不是您本人操作，什么都不用做：不会有任何变化。',
  confirmMoveMailSubject: '请为《{name}》确认新邮箱',
  confirmMoveMailText: '有人（但愿是您本人）希望今后把《{name}》寄到这个邮箱。',
  movedMailSubject: '《{name}》的接收邮箱已更换',
  movedMailText: '您的《{name}》订阅已经改寄到 {address}，并且已由新邮箱确认。今后不会再寄到这里。',
  movedMailNotYou: '如果不是您本人操作，请马上写信告诉我们：{contact}',

  alertNoIssue: '{name}：{when} 还没有可以发送的一期',
  alertNoIssueText:
    '还有约 {left} 小时就到 {when}（{zone}），现在什么都不会发送：\n\n  {why}\n\n看看接下来的时段：broadsheet schedule next\n批准一期：broadsheet approve ISSUE',
  alertNotSent: '{name}：{slot} 没有发送',
  alertNotSentText:
    '原因：\n\n  {why}\n\n仍要发送：broadsheet send ISSUE\n接下来的时段：broadsheet schedule next',
  alertStarted: '{name}：{issue} 开始发送，共 {planned} 位读者',
  alertHeld: '{name}：{issue} 的发送被邮箱服务商拦住了一部分',
  alertPaused: '{name}：{issue} 已暂停发送',
  alertCancelled: '{name}：{issue} 已取消发送',
  alertFinished: '{name}：{issue} 发送完毕',
  alertCampaignText:
    '{detail}\n\n计划 {planned}\n已接收 {accepted}\n待发送 {queued}\n延后 {deferred}\n失败 {failed}\n不明 {unknown}\n未发（退订或停用） {suppressed}\n取消 {cancelled}\n\n详情：broadsheet campaigns show {campaign}',
};

const en: Record<Word, string> = {
  contents: 'In this issue',
  advertisement: 'Advertisement',
  source: 'Source',
  colon: ': ',
  comma: ', ',
  why: 'You receive this email because you subscribed to {name}.',
  sender: 'From',
  contact: 'Contact',
  postalAddress: 'Address',
  unsubscribe: 'Unsubscribe',
  web: 'Read on the web',

  unsubscribeTitle: 'Unsubscribe from {name}',
  unsubscribeText: 'Once you unsubscribe, {address} gets no further issue of {name}.',
  unsubscribeButton: 'Unsubscribe',
  unsubscribeLeave: 'Changed your mind? Close this page, and nothing happens.',
  unsubscribedTitle: 'You have unsubscribed',
  unsubscribedText: '{address} gets no further issue of {name}.',
  unsubscribedLater: 'An issue that is already on its way may still arrive. Thank you for reading.',
  invalidLinkTitle: 'This link does not work',
  invalidLinkText:
    'It is incomplete or no longer valid. If you copied it from an email, check that you copied the whole address.',
  invalidLinkHelp: 'Still stuck? Write to us, and we will do it for you:',
  homeTitle: 'Issues',
  homeText: 'What {name} has sent so far:',
  homeEmpty: '{name} has not sent anything yet.',
  notFoundTitle: 'There is no such page',
  notFoundText: 'The address may be misspelt, or the page has moved.',

  consent:
    'By pressing “Subscribe” you agree to receive {name} by email. You can unsubscribe at any time with one click.',
  privacy: 'Privacy notice',
  subscribeTitle: 'Subscribe to {name}',
  subscribeAddress: 'Email address',
  subscribeButton: 'Subscribe',
  subscribeTrap: 'Leave this field empty',
  subscribeNext:
    'We will send you an email. You are subscribed once you have opened its link and confirmed.',
  subscribeAgain: 'One more step: check the address, then press “Subscribe” once more.',
  subscribeInvalid: 'This is not a complete email address. Write it like anna@example.net.',
  subscribeTypo: 'Did you mean {address}?',
  subscribeTypoYes: 'Yes, use {address}',
  subscribeTypoNo: 'No, use {address}',
  subscribeClosed: '{name} does not take new subscribers at the moment.',
  askedTitle: 'Look into your inbox',
  askedText:
    'If the address can receive mail, we have sent a message. Open the link in it to take the last step.',
  askedLater:
    'Nothing after a few minutes? Look into your spam folder, and check that the address is spelt right.',
  tooManyTitle: 'Please try again later',
  tooManyText:
    'Too many requests have come from your network in a short time. Please wait a while.',
  confirmTitle: 'Confirm your subscription to {name}',
  confirmText: '{address} is going to receive {name}.',
  confirmButton: 'Confirm subscription',
  confirmLeave: 'This was not you? Close this page, and nothing happens.',
  confirmMoveTitle: 'Confirm the new address',
  confirmMoveText: 'From now on {name} goes to {address}.',
  confirmMoveButton: 'Confirm the new address',
  confirmedTitle: 'You are subscribed',
  confirmedText: '{address} gets the next issue of {name}.',
  movedTitle: 'The address has been changed',
  movedText: 'From now on {name} goes to {address}.',
  usedTitle: 'Confirmed already',
  usedText: '{address} has been confirmed. There is nothing left to do.',
  expiredTitle: 'This link has expired',
  expiredText:
    'A link to confirm works for 72 hours, and only the one in the latest email that we sent.',
  expiredButton: 'Send a fresh email',
  undoText: 'A slip?',
  undoButton: 'Subscribe me again',
  undoneTitle: 'You are subscribed again',
  undoneText: '{address} goes on receiving {name}.',
  linkTitle: 'Send me a link',
  linkText:
    'Enter the address that you subscribed with. We will mail you the links to unsubscribe and to your preferences.',
  linkButton: 'Send the link',
  invalidLinkForm:
    'Enter the address that you subscribed with, and we will mail you a fresh link to unsubscribe or to change your preferences:',
  preferences: 'Preferences',
  preferencesTitle: 'Preferences',
  preferencesText: '{address} subscribes to {name}.',
  preferencesLeft: '{address} does not subscribe to {name}.',
  preferencesSaved: 'Saved.',
  preferencesLanguage: 'Language of emails and pages',
  preferencesSave: 'Save',
  preferencesAddress: 'Change of address',
  preferencesAddressHint:
    'The new address gets an email to confirm first; once it has, the present one is told.',
  preferencesAddressLabel: 'New address',
  preferencesAddressButton: 'Change the address',
  preferencesUnsubscribe: 'Unsubscribe',
  chinese: '中文',
  english: 'English',

  confirmMailSubject: 'Please confirm your subscription to {name}',
  confirmMailText: 'Somebody, hopefully you, has subscribed this address to {name}.',
  confirmMailLink: 'Open this link and press the button to confirm (it works for 72 hours):',
  confirmMailNotYou: 'If this was not you, do nothing: you will not hear from us again.',
  alreadyMailSubject: 'You are subscribed to {name} already',
  alreadyMailText:
    'Somebody has subscribed this address to {name}. It was on the list already, so nothing has changed.',
  alreadyMailNotYou: 'If this was not you, do nothing.',
  preferencesMailLink: 'Language, address and other preferences:',
  linkMailSubject: 'Your links for {name}',
  linkMailText:
    'Here are the links that you asked for. With them you unsubscribe from {name} or change your preferences.',
  linkMailNotYou: 'If this was not you, do nothing: nothing has changed.',
  confirmMoveMailSubject: 'Please confirm this address for {name}',
  confirmMoveMailText: 'Somebody, hopefully you, wants {name} to come to this address from now on.',
  movedMailSubject: 'Your address for {name} has been changed',
  movedMailText:
    'Your subscription to {name} now goes to {address}, which has confirmed it. Nothing more comes here.',
  movedMailNotYou: 'If this was not you, write to us at once: {contact}',

  alertNoIssue: '{name}: nothing to send yet at {when}',
  alertNoIssueText:
    'In about {left} h it is {when} ({zone}), and as things stand nothing will be sent:\n\n  {why}\n\nThe coming slots: broadsheet schedule next\nTo approve an issue: broadsheet approve ISSUE',
  alertNotSent: '{name}: nothing was sent in {slot}',
  alertNotSentText:
    'Because:\n\n  {why}\n\nTo send it all the same: broadsheet send ISSUE\nThe coming slots: broadsheet schedule next',
  alertStarted: '{name}: {issue} is being sent to {planned} readers',
  alertHeld: '{name}: a mailbox provider holds up a part of {issue}',
  alertPaused: '{name}: {issue} is paused',
  alertCancelled: '{name}: {issue} is cancelled',
  alertFinished: '{name}: {issue} has been sent',
  alertCampaignText:
    '{detail}\n\nplanned {planned}\naccepted {accepted}\nqueued {queued}\ndeferred {deferred}\nfailed {failed}\nunknown {unknown}\nsuppressed {suppressed}\ncancelled {cancelled}\n\nMore: broadsheet campaigns show {campaign}',
};

export type Word = keyof typeof zh;

const WORDS: Record<Language, Record<Word, string>> = { zh, en };

export function isWord(key: string): key is Word {
  return Object.hasOwn(zh, key);
}

/** A phrase with its `{gaps}` filled: `word('en', 'why', { name: 'The Weekly' })`. */
export function word(language: Language, key: Word, gaps: Record<string, unknown> = {}): string {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (gap, name) => String(gaps[name] ?? gap));
}
