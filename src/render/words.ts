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
  invalidLinkHelp: '想退订又打不开链接？写信给我们，我们会为您处理：',
  homeTitle: '往期',
  homeText: '《{name}》已经发出的各期：',
  homeEmpty: '《{name}》还没有发出过。',
  homeFeeds: '用阅读器订阅',
  previousIssue: '上一期',
  nextIssue: '下一期',
  allIssues: '全部往期',
  cardAlt: '《{name}》：{title}',
  reportTitle: '{month} 的数字',
  monthBefore: '{month}：',
  acceptedByDay: '每天送出的邮件',
  listByDay: '可寄送的读者',
  perIssue: '各期',
  perProvider: '各邮箱服务商',
  planned: '计划',
  accepted: '已收',
  deferred: '曾延迟',
  waiting: '待发',
  hardBounces: '硬退信',
  softBounces: '软退信',
  unknownFate: '不明',
  complained: '投诉',
  left: '退订',
  joined: '新增',
  list: '读者',
  noComplaintReports:
    'QQ 邮箱和网易邮箱（163、126）不向发件人报告投诉：这两组显示“–”，意思是不知道，不是没有。',
  nobodyWatched: '这些数字来自投递记录和名单本身；没有像素，也不跟踪任何读者。',
  notFoundTitle: '没有这个页面',
  notFoundText: '地址可能写错了，或者页面已经移走。',
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
  invalidLinkHelp: 'Trying to unsubscribe? Write to us, and we will do it for you:',
  homeTitle: 'Issues',
  homeText: 'What {name} has sent so far:',
  homeEmpty: '{name} has not sent anything yet.',
  homeFeeds: 'For feed readers',
  previousIssue: 'Previous issue',
  nextIssue: 'Next issue',
  allIssues: 'All issues',
  cardAlt: '{name}: {title}',
  reportTitle: 'The numbers of {month}',
  monthBefore: '{month}: ',
  acceptedByDay: 'Mails taken, by day',
  listByDay: 'Readers who can be mailed',
  perIssue: 'By issue',
  perProvider: 'By mailbox provider',
  planned: 'Planned',
  accepted: 'Accepted',
  deferred: 'Deferred',
  waiting: 'Waiting',
  hardBounces: 'Hard bounces',
  softBounces: 'Soft bounces',
  unknownFate: 'Unknown',
  complained: 'Complained',
  left: 'Left',
  joined: 'Joined',
  list: 'Readers',
  noComplaintReports:
    'QQ Mail and NetEase (163, 126) report no complaints to senders: “–” there means that nobody knows, not none.',
  nobodyWatched:
    'The numbers come from the record of deliveries and from the list; there is no pixel, and no reader is watched.',
  notFoundTitle: 'There is no such page',
  notFoundText: 'The address may be misspelt, or the page has moved.',
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
