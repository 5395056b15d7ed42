/**
 * What the words of a report mean where its status code says nothing, in the languages that servers speak. A limited
 * fallback (D-56): the first row that fits decides, and those that keep a reader stand before those that do not.
 */

/** What words can mean. */
export type Meaning =
  | 'refused'
  | 'system-failed'
  | 'sender-refused'
  | 'rate-limited'
  | 'too-large'
  | 'mailbox-full'
  | 'authentication'
  | 'blocked'
  | 'content'
  | 'refused-by-reader'
  | 'expired'
  | 'disabled'
  | 'no-such-host'
  | 'no-such-user';

interface Row {
  meaning: Meaning;
  words: RegExp;
  /** These are not among them. */
  without?: RegExp;
}

/** Joins patterns to one; case does not count. */
function any(...patterns: string[]): RegExp {
  return new RegExp(patterns.map((pattern) => `(?:${pattern})`).join('|'), 'iu');
}

const RATE = any(
  '\\brate\\b',
  'too many',
  'too fast',
  'frequen',
  'per (?:day|hour|minute)',
  'connection',
  'sending',
);
const FOR_NOW = any('temporar', 'try again', 'servfail', 'time(?:d)?[ -]?out', 'try later');

const OWNER =
  '(?:user|recipient|mail ?box|in ?box|mail ?drop|account|address|addressee|person|subscriber|customer|alias|destination|e-?mail|rcpt|employee)';
/** Between the two halves of a phrase; not over the end of a sentence. */
const GAP = '[^.!?\\n]{0,50}?';
const GAP_CJK = '[^。!?\\n]{0,16}?';

const ROWS: readonly Row[] = [
  {
    meaning: 'too-large',
    words: any(
      '(?:message|mail|e-?mail)(?: is| was)? (?:too|to) (?:large|big|long)',
      '(?:message|mail|header|content)s?\\b.{0,20}\\bsize\\b.{0,40}(?:exceed|limit|larger|too|greater|max)',
      `exceed${GAP}\\b(?:message|mail) ?size`,
      '(?:larger|bigger) than (?:the )?(?:current |maximum )?(?:system )?(?:limit|allowed|size|permitted)',
      'size limit',
      '\\bline (?:limit|length|too long|is too long)',
      '(?:邮件|郵件|信件)[^。\\n]{0,12}(?:过大|過大|太大|大小)',
      'メール[^。\\n]{0,12}サイズ',
      'Nachricht[^.\\n]{0,30}zu groß',
    ),
  },
  {
    meaning: 'rate-limited',
    words: any(
      'too many (?:recipients|messages|mails|e-?mails|connections)\\b(?! (?:hops|received))',
      '\\brate[- ]?limit|\\b(?:sending|message|sending message|mail) rate\\b|\\bthrottl',
      `\\b(?:daily|hourly|per[- ](?:day|hour|minute))\\b${GAP}(?:quota|limit)|(?:quota|limit)\\b${GAP}\\bper (?:day|hour|minute)|\\bthis hour\\b`,
      '\\bat a rate\\b|unexpected volume|frequen(?:cy|tly) (?:is )?limit',
      '(?:发送|发信|投递)[^。\\n]{0,8}(?:频率|过于频繁|过快)|频率(?:限制|过高|受限)',
    ),
  },
  {
    meaning: 'mailbox-full',
    words: any(
      `(?:mail ?box|in ?box|mail ?drop|account|storage|disk|user|recipient|folder)\\b${GAP}\\b(?:is |was |are )?(?:too |currently |almost )?full\\b`,
      `\\b(?:over|out of|exceed\\w*|reached|beyond|no more|above|hit)\\b${GAP}\\b(?:quota|storage|disk space|(?:mail ?box|message store|inbox) (?:size|limit|space))`,
      `\\bquota\\b${GAP}(?:exceed|full|reach|violat|exhaust|over)`,
      '\\bover ?quota\\b|\\bquota ?exceeded\\b|\\bfull (?:mail|in)box\\b|\\bmailbox ?full\\b|quota exceed',
      `(?:mail ?box|account)\\b${GAP}(?:exceed|size limit|has reached|limit exceeded)`,
      '(?:not enough|insufficient|no|low|out of) (?:free |available |system |mail ?box |disk )*(?:storage|space)',
      'STOREDRV[^\\n]{0,60}(?:mailbox ?full|quota)',
      '(?:邮箱|信箱|郵箱|空间|空間|容量|收件箱)[^。\\n]{0,10}(?:已满|已滿|不足|满了|超出|超过|超過|爆满|已用完|用盡)',
      '超(?:出|过|過)[^。\\n]{0,10}(?:容量|配额|配額|限额|空间)',
      `(?:メールボックス|受信箱|受信トレイ|容量|ボックス|クォータ)${GAP_CJK}(?:一杯|いっぱい|満杯|満タン|超え|超過|オーバー|不足|フル)`,
      '(?:편지함|사서함|용량|메일함)[^.\\n]{0,16}(?:가득|초과|부족|꽉)',
      `(?:postfach|mailbox|speicher\\w*|kontingent)\\b${GAP}(?:voll\\b|überschritten|erschöpft|überfüllt)`,
      `(?:bo[iî]te|messagerie|quota)\\b${GAP}(?:pleine|satur[ée]e?|d[ée]pass[ée])`,
      `(?:buz[oó]n|casilla|cuota)\\b${GAP}(?:llen[oa]|exced|super)`,
      `(?:caixa|cota|quota)\\b${GAP}(?:chei[ao]|lotad[ao]|exced|ultrapass)`,
      `(?:casella|quota)\\b${GAP}(?:pien[ao]|superat[ao]|esaurit)`,
      `(?:postvak|mailbox|quotum)\\b${GAP}(?:\\bvol\\b|overschreden)`,
      '(?:ящик|квот)[^.\\n]{0,40}(?:переполн|заполнен|превыш)',
      '(?:skrzynk|limit)[^.\\n]{0,40}(?:pełna|przepełn|przekroczon)',
      '(?:posta kutusu|kota)[^.\\n]{0,30}(?:dolu|aşıldı)',
    ),
    without: RATE,
  },
  {
    meaning: 'system-failed',
    words: any(
      `(?:could ?n.t|could not|can ?not|can.t|unable to|failed to) (?:create|open|write|append|lock|chdir|exec\\w*|fork)\\b`,
      'permission denied|input/output error|\\bi/o error|read-only file ?system|out of memory|no child process',
      '\\b(?:program|command|mailer|process) (?:died|crashed|exited|was killed)',
    ),
  },
  {
    meaning: 'content',
    words: any(
      '\\b(?:duplicate|multiple|missing|malformed|invalid|too many|illegal|bad) (?:\\S{1,40} )?headers?\\b',
    ),
  },
  {
    meaning: 'authentication',
    words: any(
      '\\b(?:spf|dkim|dmarc|sender policy framework)\\b.{0,80}(?:fail|reject|polic|unauth|invalid|violat|not pass|not allowed|not permitted|none)',
      '(?:fail|reject|violat|not pass|due to|because of|polic).{0,80}\\b(?:spf|dkim|dmarc)\\b',
      '\\bunauthenticated (?:e-?mail|mail|message)',
      '\\bptr\\b|\\b(?:reverse dns|rdns)\\b|cannot find your (?:reverse )?hostname|\\bip name lookup\\b|mismatch\\w* client ip|unverif\\w+ sending ip',
      '\\bbad (?:spf|dkim)\\b|authentication information|fails? to pass authentication|not authenticated\\b',
      '(?:must issue|requires?|required|no) (?:a )?(?:starttls|tls)\\b',
    ),
  },
  {
    meaning: 'blocked',
    words: any(
      'black ?-?list|block ?-?list|deny ?list|\\b(?:dns|r|s|x|p|c)bl\\b|\\b[a-z]{0,6}(?:rbl|dnsbl|uribl)\\b|spamhaus|spamcop|sorbs|barracuda(?:central)? reputation|senderscore|invaluement|abusix',
      '\\breputation\\b',
      '\\b(?:ip|host|client|server|network|domain|address|connection)\\b[^.\\n]{0,50}\\b(?:banned|blocked|listed|blacklisted)\\b(?! by (?:the |this )?(?:user|recipient))',
      '\\b(?:banned|blocked|rejecting)\\b[^.\\n]{0,30}\\b(?:ip|host|network|sending|range|client)\\b',
      '(?<!not )\\blisted (?:in|at|by|on)\\b',
      'client host (?:\\S{1,100} )?rejected|service refus(?![^\\n]{0,80}try later)|not accepting (?:connections|mail from)|invalid ip for sending|^\\d{3} access denied\\b',
      "messages? from [^\\n]{1,60} (?:were not|weren't) sent|smtp (?:server|relay) of your (?:isp|provider)",
      'open relay|no access from|user complaints',
      'part of their network is on our',
      '^554 ip=[\\d.]+|\\(bl\\)',
      '\\bsource ip\\b|\\byour ip\\b',
      '黑名单|黑名單|ブラックリスト',
    ),
    without: any('blocked by (?:the |this )?(?:recipient|user)', '对方.{0,6}黑名单'),
  },
  {
    meaning: 'content',
    words: any(
      '\\b(?:spam|unsolicited|uce|ube)\\b|\\bspam[- ]?(?:like|score|mail|content|message|rating|detected|filter|rejected)|suspected spam|\\bjunk[- ]?mail|\\bbulk (?:e-?mail|mail)\\b|\\bphish',
      '\\b(?:virus|malware|trojan|worm|infected|eicar)\\b',
      `\\bcontents?\\b${GAP}(?:reject|denied|den[iy]|filter|not accept|block|violat|prohibit|restrict|unacceptable|polic|objectionable|inappropriate|scan)`,
      `(?:reject|denied|block|due to|because of|violat|polic)\\w*\\b${GAP}\\bcontent\\b`,
      'security polic|\\w*spam ?signature|\\bofr_?506\\b',
      '(?:banned|prohibited|forbidden|dangerous|disallowed|restricted) (?:content|file|attachment|extension|word)',
      '(?:message|mail) (?:was |is |has been )?(?:classified|identified|flagged|detected|considered|scored|marked) ',
      '\\bhigh[- ]probability\\b|\\bheuristic|\\bbayes',
      '垃圾(?:邮件|郵件|信)|邮件内容|内容[^。\\n]{0,8}(?:拒绝|违规|非法|敏感|过滤)|广告邮件|病毒',
      '迷惑メール|スパム|ウイルス',
      '스팸|바이러스',
      'спам|вирус',
      '\\b(?:correo|mensaje) no deseado|\\bpourriel|\\bind[ée]sirable',
    ),
  },
  {
    meaning: 'sender-refused',
    words: any(
      `\\b(?:sender|mail from|return[- ]?path|envelope[- ](?:from|sender)|from address|helo|ehlo)\\b${GAP}(?:unknown|invalid|not (?:found|exist|valid|allowed|verif)|reject|refus|denied|does ?n.t|does not|bad\\b|unresolv|verif|domain)`,
      '(?:unknown|invalid|bad|rejected|refused|unresolvable|verify|verification of) (?:\\w+ ){0,2}sender',
      'badmailfrom',
      'unroute?able (?:\\w+ ){0,2}sender|\\bsender (?:address )?(?:is )?unroute?able',
      '\\bfrom: (?:domain|address|header)|\\bvalid from\\b|\\bfrom (?:header|domain) is',
      '\\b5\\.1\\.[78]\\b',
    ),
  },
  {
    meaning: 'refused-by-reader',
    words: any(
      '(?:rejected|blocked|refused) by (?:the |this )?(?:recipient|user|addressee)s?\\b(?! (?:domain|server|host|system|mail|policy))|(?:recipient|user) preferences',
      '(?:recipient|user) (?:has )?(?:rejected|blocked) (?:you|the sender|your)',
      '收件人(?:已)?(?:拒收|拒绝)|被收件人(?:拒收|拒绝|屏蔽)|对方.{0,6}(?:拒收|黑名单)|收件者拒收',
    ),
  },
  {
    meaning: 'disabled',
    words: any(
      `\\b${OWNER}\\b${GAP}\\b(?:disabled?|deactivated|inactive|in-?active|closed|suspended|discontinued|expired|terminated|cancel+ed|deleted|removed|dormant|retired|not active|no longer active|abandoned|frozen|locked|blocked)\\b`,
      `\\b(?:disabled|deactivated|inactive|closed|suspended|discontinued|expired|deleted|cancel+ed) (?:\\w+ )?(?:user|recipient|mail ?box|account|address)`,
      'no longer (?:accept\\w*|receiv\\w*) (?:e-?mail|mail|messages)',
      '(?:用户|邮箱|帐号|账号|帳號|帳戶|账户|信箱|收件人)[^。\\n]{0,12}(?:停用|禁用|冻结|凍結|注销|註銷|关闭|關閉|被封|失效|过期)',
      `(?:アカウント|メールアドレス|メールボックス)${GAP_CJK}(?:停止|無効|閉鎖|利用できません|解約)`,
      `(?:konto|postfach|account)\\b${GAP}(?:deaktiviert|gesperrt|gelöscht|geschlossen)`,
      `(?:compte|bo[iî]te|adresse)\\b${GAP}(?:d[ée]sactiv[ée]e?|ferm[ée]e?|suspendue?|supprim[ée]e?)`,
      `(?:cuenta|buz[oó]n)\\b${GAP}(?:desactivad|deshabilitad|suspendid|cancelad|inactiv|cerrad)`,
      `(?:conta|caixa)\\b${GAP}(?:desativad|suspens|inativ|cancelad|bloquead)`,
      `(?:account|casella)\\b${GAP}(?:disabilitat|disattivat|sospes|chius)`,
      '(?:ящик|аккаунт|пользовател|уч[её]тн)[^.\\n]{0,40}(?:заблокирован|отключ|удал[её]н|закрыт|неактивен)',
    ),
    without: any('temporar', '暂时', '暫時', '一時', 'временно', 'quota|full|space|storage'),
  },
  {
    meaning: 'no-such-host',
    words: any(
      `\\b(?:host|domain|name service|dns|mx|mail exchanger|server name)\\b${GAP}(?:not (?:be )?found|unknown|does(?: not|n.t) exist|no such|nxdomain|cannot be resolved|can ?not resolve|non-?existent|invalid|not resolv|unresolv|couldn.t be found)`,
      '(?:no such|unknown|invalid|illegal|non-?existent|bad|unroutable|unrouteable|unresolvable) (?:mail )?(?:host|domain)',
      `(?:couldn.t|could not|can ?not|unable to|can.t|failed to) (?:find|resolve|locate|look ?up)\\b${GAP}\\b(?:host|mail exchanger|domain|mx|server|dns|a record)`,
      '\\bno mx record|indicated no smtp service|\\bnxdomain\\b|\\bnull ?mx\\b|all relevant mx records point to non-existent',
      '\\b(?:domain|host)\\b[^.\\n]{0,40}(?:does(?: not|n.t)|is not) (?:accept|receiv|configured to (?:receive|accept))\\w* (?:e-?mail|mail|any mail)',
      '(?:域名|主机|主機|網域)[^。\\n]{0,12}(?:不存在|无法解析|找不到|無法解析)',
      `(?:ドメイン|ホスト)${GAP_CJK}(?:存在しません|見つかりません|不明)`,
      `domain\\w*\\b${GAP}(?:nicht gefunden|existiert nicht|unbekannt)`,
      `domaine\\b${GAP}(?:n.existe pas|introuvable|inconnu)`,
      `dominio\\b${GAP}(?:no existe|inexistente|no encontrado|non esiste|non trovato)`,
    ),
    without: FOR_NOW,
  },
  {
    meaning: 'no-such-user',
    words: any(
      `\\b${OWNER}s?\\b${GAP}(?:\\bunknown\\b|\\bnot (?:be )?found|does(?: not|n.t) (?:exist|appear)|do(?: not|n.t) exist|no longer (?:exist|valid|in use|available|on|with|works?|here|employed)|not exist|is invalid|\\binvalid\\b|(?:is|was|are) (?:not|n.t) (?:a )?(?:valid|known|listed|local|recogni[sz]ed|our|on|here|defined|registered|present|hosted)|isn.t (?:a |listed|known|valid)|unrecogni[sz]ed|not (?:known|listed|recogni[sz]ed|valid|exists?|registered|defined|our)|could ?n.t be found|couldn.t be found|non-?existent|undefined|unrouteable|unroutable)`,
      '(?:\\bunknown|no such|\\binvalid|non-?existent|undefined|unrecogni[sz]ed|\\bbad|illegal|not a valid|incorrect|no valid|unrouteable|unroutable|unavailable) (?:[\\w-]+ ){0,3}?(?:user|recipient|mail ?box|account|address|alias|person|destination|local[- ]part|rcpt|addressee)',
      `\\bnot (?:listed|found) in\\b${GAP}(?:domino|name (?:&|and) address book|directory|public address book)`,
      '\\b5\\.4\\.1 [^\\n]{0,300}?recipient address rejected: access denied|\\b5\\.1\\.0 address rejected',
      `does(?: not|n.t) have an?\\b${GAP}\\baccount\\b`,
      '\\bno (?:one|body) (?:here )?(?:by|with|of|has) that name|no (?:account|mailbox|user|recipient|person|such) (?:by that name|here|found|with that|of that name|exists)|no mailbox (?:here )?(?:by|with) that name|this address no longer|not our customer|not a valid mailbox|user not exist|not user of this server|addressee unknown|unknown local-?part|no such (?:person|address|local)|mailbox (?:is |currently )?(?:unavailable|invalid)|recipient ?not ?found|RecipNotFound|RecipientNotFound|ADR\\.\\w*NotFound|not listed',
      `(?:用户|使用者|用戶|邮箱|郵箱|信箱|帐号|账号|帳號|账户|帳戶|收件人|收件者|地址|邮件地址)[^。\\n]{0,40}?(?:不存在|无效|無效|未找到|找不到|没有找到|沒有找到|查无|未注册|未開通|未开通|错误|錯誤|不正確|不正确)`,
      '(?:不存在|找不到|查无|查無|没有|沒有|无|無)(?:此|该|該|这个|這個|您指定的|指定的)?(?:用户|用戶|使用者|邮箱|信箱|帐号|账号|帳號|收件人|收件者|电子邮件地址|電子郵件地址|地址)|未开通|未開通',
      `(?:ユーザー?|宛先|アドレス|受信者|アカウント|メールボックス|受取人)${GAP_CJK}(?:存在しま|存在して|見つかり|見つから|不明|ありません|存在しない|無効|間違|正しくありません)|宛先不明|該当する(?:ユーザ|アドレス)[^。]{0,12}ありません`,
      '(?:사용자|수신자|받는 ?사람|계정|주소|아이디)[^.\\n]{0,24}(?:존재하지|없습니다|없는|찾을 수|잘못)|없는 (?:사용자|계정|주소)',
      `(?:empfänger\\w*|benutzer\\w*|adresse|e-mail-adresse|postfach|konto|mailbox)\\b${GAP}(?:unbekannt|nicht (?:gefunden|bekannt|vorhanden|existier\\w*|gültig)|existiert nicht|ungültig|nicht mehr (?:gültig|vorhanden|erreichbar))|unbekannte\\w* (?:empfänger|benutzer|adresse)`,
      `(?:destinataire|utilisateur|adresse|bo[iî]te|compte)\\b${GAP}(?:inconnue?|n.existe (?:pas|plus)|introuvable|invalide|pas (?:été )?trouv[ée]e?|inexistante?|erron[ée]e)`,
      `(?:usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta|casilla)\\b${GAP}(?:desconocid|no existe|inexistente|no (?:fue |se )?(?:ha )?(?:podido )?(?:encontr|localiz)|inv[aá]lid|no (?:es )?v[aá]lid|incorrect)`,
      `(?:usu[aá]rio|destinat[aá]rio|endere[cç]o|caixa|conta)\\b${GAP}(?:desconhecid|n[aã]o existe|inexistente|n[aã]o (?:foi )?(?:encontrad|localizad|p[oô]de ser encontrad)|inv[aá]lid)`,
      `(?:utente|destinatario|indirizzo|casella)\\b${GAP}(?:sconosciut|non esist|inesistente|non (?:è )?(?:stat[oa] )?trovat|non (?:è )?valid|errat)`,
      `(?:gebruiker|ontvanger|adres|postvak|geadresseerde)\\b${GAP}(?:onbekend|bestaat niet|niet gevonden|ongeldig)`,
      '(?:пользовател|получател|адрес|ящик|уч[её]тн)[^.\\n]{0,50}(?:не найден|не существу|неизвест|не зарегистр|недействител|отсутству|не обнаруж)|неизвестн\\w+ (?:пользовател|получател)|нет такого|неверный адрес',
      '(?:użytkownik|odbiorc|adresat|adres|skrzynk|konto)[^.\\n]{0,50}(?:nie istnieje|nieznan|nie znaleziono|nie można (?:było )?(?:znaleźć|odnaleźć)|nieprawidłow)',
      '(?:användare|mottagare|adress)\\w*[^.\\n]{0,40}(?:okänd|finns inte|hittades inte)|(?:bruger|modtager|adresse)\\w*[^.\\n]{0,40}(?:findes ikke|ukendt)',
      '(?:kullanıcı|alıcı|adres)\\w*[^.\\n]{0,40}(?:bulunamadı|yok|geçersiz|bilinmiyor)',
    ),
  },
  {
    meaning: 'expired',
    words: any(
      'retry time(?:out)?|time(?:d)?[- ]?out|expired|expiring|retry (?:limit|count)|too (?:many hops|long|old)|giving up|given up|gave up',
      'connection (?:refused|reset|lost|closed|dropped|failed)|lost connection|no route to host|unreachable|host (?:is )?(?:down|not reachable)|not find a gateway|not found, try again|network (?:error|problem)|not respond|no answer from host|mail loop',
      `(?:could|can)(?: ?not|n.t) (?:be )?(?:deliver|reach|connect|contact|send)\\w*\\b${GAP}(?:\\d+|several|specified|allowed)? ?(?:days?|hours?|time)`,
      'failing for a long time|did(?: not|n.t) accept (?:our|your) requests? to connect|socket error|\\battempts: ',
      'been in the queue|deferr|temporar|greylist|graylist|try again later',
      '连接超时|连接失败|超时|投递超时|タイムアウト|接続できません|逾時',
    ),
  },
  {
    meaning: 'refused',
    words: any(
      '(?:recipients?|messages?|mail|e-?mail) (?:was|were|has been|have been) (?:rejected|refused) by',
    ),
  },
];

/** What the words of a server can mean, the likeliest first; nothing where they say nothing that is known. */
export function meaningsOf(text: string): Meaning[] {
  const words = wordsOf(text);
  return ROWS.filter((row) => row.words.test(words) && !row.without?.test(words)).map(
    ({ meaning }) => meaning,
  );
}

/** Characters in which words are looked for. */
const LONGEST = 4_000;

/** Without addresses, links and host names: what somebody is called decides nothing. */
function wordsOf(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(/https?:\/\/[^\s<>"]{1,2000}/gi, ' ')
    .replace(/[^\s<>"'()[\]]{0,128}@[^\s<>"'()[\]]{1,255}/g, ' ')
    .replace(/\b[a-z\d_-]{1,63}(?:\.[a-z\d_-]{1,63}){1,10}\b/gi, nameless)
    .replace(/\n[ \t]+/g, ' ')
    .replace(/[ \t\r]+/g, ' ')
    .replace(/[‘’`]/g, "'");
}

/** A status code and words that only lack a space stay. */
function nameless(name: string): string {
  return /^[\d.]+$/.test(name) || /^RESOLVER|^STOREDRV|NotFound$|^ADR/i.test(name) ? name : ' ';
}
