/**
 * What a report says in words: the fallback for servers that know no RFC 3464, or damage it (D-56). What is found here
 * tells what happened, never to whom: nobody is known by an address in free text (D-53).
 */
import { meaningsOf } from './words.ts';

/** A text cut in two: what the server says, and the mail that it gives back. */
export interface Halves {
  notice: string;
  returned: string;
}

/** Lines behind which a server puts the mail that it gives back. */
const COPY_BEGINS =
  /^[ \t>*#=_-]{0,20}(?:below this line is a copy|this is a copy of|(?:the )?(?:original|returned|undelivered|unsent|bounced|failed|rejected) (?:message|mail|e-?mail)(?: header| text)?s?(?: follow| information| text)?|enclosed (?:are|is) (?:the|a)|(?:the )?(?:header|first part) of (?:the|your) (?:original|message)|message headers? follow|(?:text|body|copy) of (?:the )?(?:original|your|message)(?! generated)|your (?:original )?(?:message|mail) (?:follows|reads|header)|original headers?|message contents follow|原邮件(?!信息)|原始邮件|原信|邮件原文|原始郵件|元のメッセージ|オリジナル(?:の)?メッセージ|ursprüngliche nachricht|message original|mensaje original|исходное сообщение)[^\n]{0,80}$/imu;

/** Header fields that stand at the beginning of a mail, three lines of them at least. */
const HEADER_BEGINS =
  /^[ \t>]{0,4}(?:Return-Path|Received|DKIM-Signature|ARC-[\w-]+|X-[\w-]+|Message-ID|From|Date|MIME-Version|Delivered-To):[^\n]*\n(?:[ \t>]{0,4}(?:[A-Z][\w-]{1,60}:|[ \t])[^\n]*\n){2}/im;

/** Cuts where the returned mail begins. */
export function halvesOf(text: string): Halves {
  const lines = text.replace(/\r\n?/g, '\n');
  const cuts = [COPY_BEGINS, HEADER_BEGINS]
    .map((pattern) => lines.search(pattern))
    .filter((at) => at > 0 && lines.slice(0, at).trim() !== '');
  const cut = cuts.length > 0 ? Math.min(...cuts) : lines.length;
  return { notice: lines.slice(0, cut), returned: lines.slice(cut) };
}

/** What a server says of one address. */
export interface Statement {
  /** Empty where none is named. */
  address: string;
  words: string;
}

/** An address at the beginning of a line: `<anna@example.net>:`, as qmail, Postfix and Exim write it. */
const ABOUT =
  /^[ \t*•-]{0,8}(?:To:? |Recipient:? |RCPT TO:? ?|rfc822;? ?|Email:? )?[<'"(]?([^\s<>@,;:"'()]{1,128}@[^\s<>@,;:"'()]{1,255}?)[>'")]?[.:,;]?(?:[ \t]*$|[ \t]+(?=\S)|(?<=[:>]))/gim;

/** How sendmail ends what became of one recipient, behind the conversation that led to it. */
const VERDICT =
  /^[45]\d\d (?:[45]\.\d{1,3}\.\d{1,3} )?<?([^\s<>@]{1,128}@[^\s<>@]{1,255})>?\.\.\. [^\n]*/gim;

/** Cuts a notice into what it says of each address; one statement about nobody where it names none. */
export function statementsOf(notice: string): Statement[] {
  const found = [...notice.matchAll(ABOUT)];
  if (found.length === 0) return verdictsOf(notice);
  const statements = found.map((match, n) => ({
    address: match[1] ?? '',
    words: notice.slice(match.index, found[n + 1]?.index ?? notice.length),
  }));
  const known = new Map<string, Statement>();
  for (const { address, words } of statements) {
    const key = address.toLowerCase();
    known.set(key, { address, words: `${known.get(key)?.words ?? ''}${words}` });
  }
  return [...known.values()];
}

/** A transcript that names its recipients nowhere else: each with the conversation before its verdict. */
function verdictsOf(notice: string): Statement[] {
  const found = [...notice.matchAll(VERDICT)];
  const ends = found.map((match) => match.index + match[0].length);
  if (found.length < 2) return [{ address: '', words: notice }];
  return found.map((match, n) => {
    const talk = notice.slice(ends[n - 1] ?? 0, ends[n]);
    // What another host said before stands there too.
    const words = talk.slice(Math.max(0, talk.toLowerCase().lastIndexOf('while talking to')));
    return { address: match[1] ?? '', words };
  });
}

/** At which of our commands a server refused: at none of ours yet, at MAIL FROM, or at the end of the body. */
export type Place = 'greeting' | 'sender' | 'body';

const PLACES: readonly [Place, RegExp][] = [
  [
    'body',
    /in reply to end of data|after (?:end of data|sending data)|body of message generated response/i,
  ],
  ['sender', /in reply to mail from|after (?:pipelined )?mail from/i],
  [
    'greeting',
    /refused to talk to me|in reply to (?:ehlo|helo|starttls)|after (?:initial connection|ehlo|helo|starttls)|but (?:greeting failed|my name was rejected)/i,
  ],
];

/** Where in the conversation it was, as Postfix, Exim and qmail tell; null where nothing is said of it. */
export function placeOf(words: string): Place | null {
  const text = words.replace(/\s+/g, ' ');
  return PLACES.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** Ways to lead up to what another server answered. */
const LEAD =
  /(?:\bsaid|responded(?: with)?|respon(?:se|ded)(?: was| from[^\n:]{0,100})?|returned|replied|answered|error(?: message)?(?: was| from[^\n:]{0,200}| is)?|reason|diagnostic(?:-code)?|status|with|rejected(?: by[^\n:]{0,100})?|:|<<<|=>|\()[ \t:'"*(]{0,6}\n?[ \t'"*<(]{0,8}(?:smtp; ?)?(?=([45]\d\d)(?:[ -]|$))/im;
const AT_LINE_START = /^[ \t>*'"|<-]{0,10}(?:\[?smtp\]?;? ?)?(?=([45]\d\d)[ -]\S)/im;
const WITH_ENHANCED = /(?<![\d.])(?=([45]\d\d)[ -]{1,2}#?[45]\.\d{1,3}\.\d{1,3})/;
const EXCHANGE = /(?<=[#<])(?=([45]\d\d)? ?[45]\.\d{1,3}\.\d{1,3})/;

/** Characters that are kept of an answer, and looked at of a name or a subject. */
const LONGEST = 1_000;

/**
 * The answer of a server that a text quotes, from its reply code to the end of the paragraph.
 * @returns empty where there is none
 */
export function quotedReply(text: string): string {
  for (const pattern of [LEAD, AT_LINE_START, WITH_ENHANCED, EXCHANGE]) {
    const found = pattern.exec(text);
    if (!found) continue;
    const from = text.slice(found.index + found[0].length);
    return (from.split(/\n[ \t]*\n|\n>>> /, 1)[0] ?? '')
      .slice(0, LONGEST)
      .replace(/\s*\n\s*/g, ' ')
      .trim();
  }
  return '';
}

/** A status code in a text (RFC 3463), which is no version of a program and no IP address; empty where there is none. */
export function statusIn(text: string): string {
  return /(?<![\w.[-])#?([45]\.[0-7]\.\d{1,3})(?![.\d])/.exec(text)?.[1] ?? '';
}

const DAEMON =
  /mailer[-_ ]?daemon|post[-_ ]?master|mail[-_ ]?(?:er[-_ ])?(?:delivery|administrator|system|daemon|robot)|delivery[-_ ]?(?:system|sub-?system|agent|service|notif|status|report|fail)|mdaemon|mmdf|\bbounces?\b|undeliver|system administrator|microsoft exchange|microsoftexchange|mail ?gateway|mail ?server|message[-_ ]?router|internet mail|network mail|complaints?@|系统退信|退信|メール配信|配送/iu;

/** Whether a name and address are those of a mail server. */
export function isMailServer(from: string): boolean {
  return DAEMON.test(from.slice(0, LONGEST));
}

const FAILURE_SUBJECT =
  /undeliver|undelivrable|un-?delivered|\bdeliver(?:y|ed|ing)?\b.{0,40}(?:fail|error|problem|status|report|notif|impossible|unsuccess|delay|warning|not|unable)|(?:fail\w*|problem|error|unable|could ?n.t|cannot|can.t|not|warning|delay\w*)\b.{0,40}\b(?:deliver\w*|send|sent|mail|message)|return(?:ed|ing)\b.{0,20}(?:mail|message|sender)|mail ?(?:system )?(?:error|problem|fail|return)|non[- ]?(?:remis|distribu|delivery|délivr|delivrable)|nondeliver|\bndr?n?:|\bdsn\b|\bbounced?\b|message (?:status|rejected|not accepted)|rejected|unzustellbar|nicht (?:zugestellt|zustellbar|übermittelt)|zustell|échec|non remis|no (?:se )?(?:ha )?(?:podido|pudo|puede)? ?(?:ser )?entreg|no entregad|devuelt|devoluci|fallo|error de (?:entrega|env)|devolvid|falha|não (?:foi )?(?:entreg|possível)|mancat[ao]|non (?:è stato )?(?:recapit|consegn)|impossibile (?:recapit|consegn)|退信|退件|退回|投递(?:失败|状态|通知)|投遞|无法(?:投递|发送|送达)|無法(?:傳遞|投遞|遞送|送達)|未(?:能)?(?:送达|送達|传递|傳遞)|传递状态|傳遞狀態|配信(?:不能|エラー|失敗|でき|状況|不可)|配送(?:不能|エラー|失敗)|送信(?:エラー|失敗|できま)|未配信|未達|不達|エラーメール|メールエラー|전송 ?실패|반송|배달|전달되지|не ?доставлен|недоставлен|(?:ошибка|сбой|отчет|отчёт|уведомление) ?(?:о )?(?:доставк|отправк|недоставк)|невозможно доставить|возврат|niet (?:afgeleverd|bezorg|besteld)|onbestelbaar|nie (?:dostarczon|doręczon)|niedostarcz|zwrot|kunde inte levereras|gick inte att|kunne ikke leveres|toimittam|iletilemedi|teslim edilemedi/iu;

const FAILURE_TEXT =
  /qmail-send program|wasn.t able to deliver|(?:could|can|was|were|is|has|have)(?: ?not|n.t)(?: been)? (?:be )?(?:deliver|reach|sent|found|accepted|processed)|unable to (?:be )?deliver|not (?:been )?delivered|undeliver|delivery (?:to|of|has|failed|attempt|error|status)|failed (?:permanently|to deliver|recipient|address)|following (?:address|recipient|destination|user|e-?mail|mail)|permanent (?:fatal )?error|fatal errors|returned (?:to you|to sender|mail|without)|problem delivering|transcript of session|message you sent|your (?:message|mail|e-?mail).{0,60}(?:not|fail|reject|return|block)|rejected|(?:无法|未能|沒有|没有)[^。\n]{0,12}(?:投递|发送|送达|投遞|傳遞|送達)|退信|退回|(?:配信|配送|送信|お届け)[^。\n]{0,20}(?:でき|失敗|不能|エラー)|전송|반송|배달|не (?:может быть |было |удалось )?доставлен|не удалось доставить|konnte nicht|nicht zugestellt|n.a pas pu être|impossible de|no (?:se )?(?:ha )?pud?o?|no se puede|não (?:foi|pôde|pode)|non (?:è stato|può|e' stato)|impossibile|niet worden|nie (?:może|można|mógł|został)/iu;

/** What is known of a message when one asks whether it is a report in words. */
export interface Appearance {
  /** Name and address. */
  from: string;
  subject: string;
  /** `<>` where the header tells. */
  returnPath: string;
  notice: string;
}

/** Whether a mail server says in words that a mail was not delivered: who says so and what is said have to fit. */
export function isFailureNotice(appearance: Appearance): boolean {
  const { returnPath, notice } = appearance;
  const from = appearance.from.slice(0, LONGEST);
  const subject = appearance.subject.slice(0, LONGEST);
  const says = FAILURE_TEXT.test(notice);
  const quotes = quotedReply(notice) !== '';
  const explains = quotes || meaningsOf(notice).length > 0;
  if (isMailServer(from)) return FAILURE_SUBJECT.test(subject) || says || quotes;
  const isBounce = /^<\s*>$/.test(returnPath);
  if (FAILURE_SUBJECT.test(subject)) return isBounce || (says && explains);
  return isBounce && says && explains;
}

const DELAY_SUBJECT =
  /\bdelay|\bwarning\b|still (?:being )?(?:tr|queued)|not yet|延迟|延遲|遅延|遅れ|지연|verzöger|retard|retras|demora|atras|ritard|задерж|opóźn|vertrag/iu;
const DELAY_TEXT =
  /(?:this is a warning (?:message )?only|you do not need to re-?send|no action is required on your part|has(?: not|n.t) (?:yet )?been delivered (?:yet|to|after|within|for)|will (?:be retried|keep trying|continue to (?:try|retry|attempt)|retry|try again)|delivery (?:attempts )?will (?:be|continue)|still (?:being retried|trying|in (?:the|our) queue)|not been (?:able to )?deliver(?:ed)? (?:yet|so far)|delivery (?:is |was |has been )?delayed|delayed (?:mail|message)|继续(?:尝试|重试)|將繼續|再度?配信を試|引き続き)/iu;

/** Whether a notice speaks of a mail that may still arrive. */
export function isDelayNotice({ subject, notice }: Appearance): boolean {
  const givesUp = /giv(?:en|ing) up|permanent(?:ly)? (?:fail|error)|failed permanently/i.test(
    notice,
  );
  if (givesUp) return false;
  return (
    DELAY_TEXT.test(notice) ||
    (DELAY_SUBJECT.test(subject.slice(0, LONGEST)) && !/fail|undeliver/i.test(subject))
  );
}
