/** For each check the smallest change to a good issue that it finds, and nobody else does. */
import type { Context } from '../../src/check/check.ts';
import { takeApart } from '../../src/message/parts.ts';
import { readDocument } from '../../src/render/document.ts';
import type { Probe } from '../../src/sources/probe.ts';
import type { Changes } from './good.ts';

export interface Fixture extends Changes {
  /** Of what the checks are handed, where the mail itself cannot be made so. */
  context?: (context: Context) => Context;
  /** What the same change necessarily breaks as well. */
  also?: string[];
}

const FALCON = "[The makers' announcement](https://falcon.example.com/180b)";
const SUBJECT = 'subject: A chip maker gives its inference software away';
const PREHEADER =
  'preheader: A small model beats large ones at code, and a car explains how it drives';
const COLOPHON = '<p class="colophon">{{name}}</p>';
const FOOTER = 'partials/footer.hbs';
const LOOK = 'partials/look.hbs';

/** Adds to the footer of the template. */
const inFooter = (html: string): Fixture => ({
  templates: [[FOOTER, COLOPHON, `${COLOPHON}\n${html}`]],
});

/** Replaces in the raw message. */
const bytes =
  (from: string | RegExp, to: string) =>
  (context: Context): Context => {
    const before = context.message.bytes.toString('latin1');
    const after = before.replace(from, to);
    if (after === before) throw new Error(`There is no ${from} to replace`);
    return { ...context, message: takeApart(Buffer.from(after, 'latin1')) };
  };

const field = (line: string) => ({ context: bytes(/^/, `${line}\r\n`) });

const answers = (answer: (url: string) => Partial<Probe>) => (context: Context) => ({
  ...context,
  probe: async (url: string): Promise<Probe> => ({ status: 200, url, hops: [url], ...answer(url) }),
});

const PICTURE = 'https://pictures.example.com/falcon.png';
const withPicture: [string, string][] = [
  [FALCON, `![A falcon on a server](${PICTURE})\n\n${FALCON}`],
];

export const FIXTURES: Record<string, Fixture> = {
  'unfinished-check': { issue: [[FALCON, `<!-- check: 180B? -->\n\n${FALCON}`]] },
  'issue-empty': {
    issue: [
      [
        'Inference got faster this week, models got smaller, and one more item appeared on the bill: water.',
        '',
      ],
      ['{#infrastructure}', '{#infrastructure .held}'],
      ['{#models}', '{#models .held}'],
    ],
  },
  'section-empty': {
    issue: [['## Models {#models}', '## Robots {#robots}\n\n## Models {#models}']],
  },
  'item-empty': { issue: [['### A car', '### To come {#to-come}\n\n### A car']] },
  placeholder: { issue: [['180 billion parameters', 'TODO parameters']] },
  'id-missing': {
    language: 'zh',
    issue: [['蚂蚁集团发布金融大模型 {#ant-group}', '蚂蚁集团发布金融大模型']],
  },
  'item-without-link': { issue: [[FALCON, '']] },
  'repeated-story': {
    context: (context) => ({
      ...context,
      told: [{ id: 'falcon', issue: '2026-11-w3', headline: 'Falcon 180B is announced' }],
    }),
  },
  'language-mismatch': { language: 'zh', issue: [['language: zh-CN', 'language: en']] },
  'subject-pretends': { issue: [[SUBJECT, 'subject: "Re: your chips"']] },
  'subject-long': { issue: [[SUBJECT, `subject: ${'chips and cars '.repeat(8)}`]] },
  'subject-shouts': { issue: [[SUBJECT, 'subject: FREE INFERENCE SOFTWARE']] },
  'preheader-length': { issue: [[PREHEADER, 'preheader: Chips']] },
  'preheader-repeats': {
    issue: [[PREHEADER, 'preheader: A chip maker gives its inference software away!']],
  },
  'sender-name': {
    settings: (settings) => ({
      ...settings,
      sender: { ...settings.sender, name: 'The Editors 🎉' },
    }),
  },
  'image-without-alt': {
    issue: [[FALCON, `![](${PICTURE})\n\n${FALCON}`]],
    also: ['image-without-size'],
  },

  'link-broken': { issue: [['https://falcon.example.com/180b', 'https://falcon/180b']] },
  'link-not-secure': { issue: [['https://falcon.example.com', 'http://falcon.example.com']] },
  'link-words': { issue: [["[The makers' announcement]", '[Read more]']] },
  'link-shortened': { issue: [['https://falcon.example.com/180b', 'https://bit.ly/180b']] },
  'link-within': { templates: [['partials/contents.hbs', "{{slot 'web'}}#", '#']] },
  'china-unreachable': {
    language: 'zh',
    issue: [['### 蚂蚁', '![图](https://raw.githubusercontent.com/a/b/c.png)\n\n### 蚂蚁']],
    also: ['image-without-size'],
  },
  'link-unreachable': {
    context: answers((url) => (url.includes('falcon') ? { status: 404 } : {})),
  },
  'link-redirects': {
    context: answers((url) =>
      url.includes('falcon') ? { hops: [url, `${url}/new`], url: `${url}/new` } : {},
    ),
  },
  'image-unreachable': {
    issue: withPicture,
    context: answers((url) => (url === PICTURE ? { type: 'text/html' } : {})),
    also: ['image-without-size'],
  },
  'image-heavy': {
    issue: withPicture,
    context: answers((url) => (url === PICTURE ? { type: 'image/png', bytes: 1_500_000 } : {})),
    also: ['image-without-size'],
  },

  'html-size': { issue: [['The model has', `${'The model is large. '.repeat(4_500)}\n\nIt has`]] },
  'style-size': {
    templates: [
      [
        'partials/screens.hbs',
        '<mj-style>',
        `<mj-style>\n${'.large-model { color: #1c1a17; }\n'.repeat(300)}`,
      ],
    ],
  },
  'style-broken': {
    templates: [['partials/screens.hbs', 'text-wrap: pretty; }', 'text-wrap }']],
  },
  'document-frame': { templates: [['weekly.mjml.hbs', '<mj-title>{{subject}}', '<mj-title>Mail']] },
  'heading-order': {
    templates: [
      [
        'partials/masthead.hbs',
        '<h1 class="nameplate" data-frame>{{name}}</h1>',
        '<p class="nameplate" data-frame>{{name}}</p>',
      ],
    ],
  },
  'table-role': inFooter('<table><tr><td>A table</td></tr></table>'),
  'element-renamed': { templates: [[FOOTER, COLOPHON, `<section>${COLOPHON}</section>`]] },
  'element-refused': {
    templates: [[FOOTER, COLOPHON, COLOPHON.replace('<p', '<p onclick="x()"')]],
  },
  'id-twice': { templates: [['partials/item.hbs', 'id="{{id}}"', 'id="story"']] },
  'too-wide': inFooter('<p style="width: 900px">Wide</p>'),
  'remote-style': {
    templates: [
      [
        'partials/screens.hbs',
        '<meta charset',
        '<link rel="stylesheet" href="https://type.example.com/a.css" />\n<meta charset',
      ],
    ],
    also: ['client-support'],
  },
  'text-small': {
    templates: [
      [
        LOOK,
        'color: #5f584e; font-size: 13px; line-height: 1.6',
        'color: #5f584e; font-size: 10px; line-height: 1.6',
      ],
    ],
  },
  'chinese-typography': {
    language: 'zh',
    templates: [[LOOK, '.colophon { ', '.colophon { text-align: justify; ']],
  },
  'image-address': inFooter(
    '<img src="http://example.com/a.png" alt="A seal" width="20" height="20" />',
  ),
  'image-without-size': inFooter('<img src="https://example.com/a.png" alt="A seal" />'),
  'image-without-alt-in-template': inFooter(
    '<img src="https://example.com/a.png" width="20" height="20" />',
  ),
  'images-only': {
    ...inFooter('<img src="https://example.com/a.png" alt="A seal" width="20" height="20" />'),
    issue: [
      [
        'Inference got faster this week, models got smaller, and one more item appeared on the bill: water.',
        '',
      ],
      ['{#infrastructure}', '{#infrastructure .held}'],
      [
        'The model has 180 billion parameters and was trained on 3.5 trillion tokens.',
        'It is here.',
      ],
      ['{#lingo}', '{#lingo .held}'],
    ],
  },

  'personal-account': {
    context: (context) => ({
      ...context,
      account: {
        host: 'smtp.qq.com',
        address: context.settings.sender.address,
        hasMany: true,
      },
    }),
  },

  contrast: {
    templates: [
      [
        'partials/dark-rules.hbs',
        '{{text}}.sheet .small, {{text}}.sheet .group, {{text}}.sheet .note, {{text}}.sheet .small a, {{text}}.sheet .note a, {{text}}.sheet blockquote p, {{text}}.sheet img { color: #b3a999',
        '{{text}}.sheet .small, {{text}}.sheet .group, {{text}}.sheet .note, {{text}}.sheet .small a, {{text}}.sheet .note a, {{text}}.sheet blockquote p, {{text}}.sheet img { color: #453f36',
      ],
    ],
  },
  'contrast-inverted': {
    templates: [
      [
        LOOK,
        '.colophon { margin: 20px 0 8px; color: #1c1a17;',
        '.colophon { margin: 20px 0 8px; background-color: #7c7c7c; color: #000000;',
      ],
      [
        'partials/dark-rules.hbs',
        '{{ground}}.ad {',
        '{{ground}}.sheet .colophon { background: #191714 !important; }\n{{ground}}.ad {',
      ],
    ],
  },
  'colour-alone': {
    templates: [
      ['weekly.mjml.hbs', '<mj-section background-color="#faf6ee" ', '<mj-section '],
      ['weekly.mjml.hbs', ' background-color="#faf6ee" css-class', ' css-class'],
    ],
  },

  'client-support': {
    templates: [[FOOTER, COLOPHON, '<p class="colophon" style="display: flex">{{name}}</p>']],
  },

  'unsubscribe-missing': {
    templates: [
      [FOOTER, "{{slot 'unsubscribe'}}\">{{word 'unsubscribe'}}", "{{slot 'unsubscribe'}}\">"],
    ],
  },
  'unsubscribe-fails': {
    context: (context) => ({ ...context, unsubscribeProblems: ['One-click answers 302'] }),
  },
  'unsubscribe-names-reader': {
    context: (context) => {
      const unsubscribeUrl = 'https://news.example.com/u/reader@example.net';
      const swap = (text: string) => text.replaceAll(context.unsubscribeUrl, unsubscribeUrl);
      return {
        ...context,
        unsubscribeUrl,
        plain: swap(context.plain),
        html: readDocument(swap(context.html.html)),
      };
    },
  },
  'text-incomplete': {
    templates: [['weekly.txt.hbs', "{{word 'web'}}{{word 'colon'}}{{slot 'web'}}\n", '']],
  },
  'footer-incomplete': {
    templates: [[FOOTER, '{{sender.name}} &lt;{{sender.address}}&gt;', '{{sender.address}}']],
  },
  'postal-address': {
    settings: (settings) => ({ ...settings, sender: { ...settings.sender, postalAddress: '' } }),
  },
  'commercial-subject': {
    language: 'zh',
    settings: (settings) => ({ ...settings, commercial: true }),
  },

  'header-list-unsubscribe': field('List-Unsubscribe: <https://news.example.com/u/other>'),
  'header-one-click': { context: bytes('=One-Click', '=one-click') },
  'header-line-length': field(`X-Long: ${'a'.repeat(1_000)}`),
  'header-count': field('Subject: Another'),
  'header-message-id': { context: bytes(/(Message-ID: <[^@]+)@[^>]+/, '$1@elsewhere.example') },
  'header-date': { context: (context) => ({ ...context, now: context.now + 3 * 86_400_000 }) },
  'header-encoding': field('X-Name: caf\xe9'),
  'header-parts': { context: bytes('Content-Type: text/plain', 'Content-Type: text/enriched') },
  'header-size': field(
    Array.from({ length: 100 }, (_, n) => `X-${n}: ${'a'.repeat(80)}`).join('\r\n'),
  ),
  'header-list-id': { context: bytes(/List-ID: .*/, 'List-ID: <other.example.com>') },
  'header-recipient': { context: bytes('To: <', 'To: <somebody@example.net>, <') },
  'header-control': field('X-Bell: ding\x07'),
  'header-sender': { context: bytes(/From: .*/, 'From: <somebody@example.net>') },
  'reply-not-read': {
    settings: (settings) => ({
      ...settings,
      sender: { ...settings.sender, replyTo: 'no-reply@news.example.com' },
    }),
  },
  'dkim-invalid': {
    context: (context) => ({
      ...context,
      signatureProblem: 'The DKIM signature is of another body',
    }),
  },
  'dkim-not-aligned': field('DKIM-Signature: v=1; a=rsa-sha256; d=relay.example; s=a; b=AAAA'),
};
