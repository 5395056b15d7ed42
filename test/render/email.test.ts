import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSlots } from '../../src/issue/email.ts';
import type { Issue } from '../../src/issue/issue.ts';
import { renderEmail } from '../../src/render/email.ts';
import {
  chineseIssue,
  englishImprint,
  englishIssue,
  imprint,
  item,
  section,
  weekly,
} from './issues.ts';
import { attribute, chainOf, classesOf, type Element, tagsOf, textOf } from './mail.ts';

const render = async (issue: Issue) => (await renderEmail(issue, imprint, weekly)).email;
const bodyText = (html: string) => textOf(tagsOf(html, 'body')[0] as Element);
const one = (changes: Parameters<typeof item>[1]) =>
  chineseIssue({ sections: [section('only', [item('only', changes)])] });

describe('an issue as a mail', () => {
  test('H-35: the same issue gives the same bytes', async () => {
    const first = await renderEmail(chineseIssue(), imprint, weekly);
    expect(await renderEmail(chineseIssue(), imprint, weekly)).toEqual(first);
  });

  test('has subject, preheader and language; the subject is the title unless it is written', async () => {
    expect(await render(chineseIssue())).toMatchObject({
      subject: 'AI大模型周报 2023年9月第3期',
      language: 'zh-CN',
    });
    const written = await render(chineseIssue({ subject: '本周头条', preheader: '编辑写的预览' }));
    expect(written).toMatchObject({ subject: '本周头条', preheader: '编辑写的预览' });
    expect(written.html).toContain('<title>本周头条</title>');
    expect(bodyText(written.html).trim().startsWith('编辑写的预览')).toBe(true);
  });

  test('keeps sections and items in the order of the file, in both parts', async () => {
    const { html, text } = await render(chineseIssue());
    for (const part of [bodyText(html).slice(bodyText(html).indexOf('今天发布')), text]) {
      const places = ['栏目 models', '模型一栏的话', 'rich 今天', 'rich 官网', 'falcon 今天'].map(
        (words) =>
          part.replace(/rich 官网: .*/, 'rich 官网').indexOf(words.replace('rich 今天', '重要：')),
      );
      expect(places).not.toContain(-1);
      expect([...places].sort((a, b) => a - b)).toEqual(places);
    }
  });

  test('leaves out held items, held sections, and sections in which nothing is left', async () => {
    const emptied = section('emptied', [item('gone', { held: true })], { name: '只有压下的' });
    const issue = chineseIssue({ sections: [...chineseIssue().sections, emptied] });
    const { html, text, preheader } = await render(issue);
    for (const part of [html, text, preheader]) {
      expect(part).not.toMatch(/压下的|secret|抽屉|later|gone/);
    }
  });

  test('shows a lead large, in its place', async () => {
    const { html } = await render(chineseIssue());
    const leads = tagsOf(html, 'h3').filter((heading) => classesOf(heading).includes('lead'));
    expect(leads.map((lead) => attribute(lead, 'id'))).toEqual(['tensorrt-llm']);
  });

  test('labels an advertisement in both parts, and keeps it out of contents and preheader', async () => {
    const { html, text, preheader } = await render(chineseIssue());
    const heading = tagsOf(html, 'h3').find(
      (element) => attribute(element, 'id') === 'cloud',
    ) as Element;
    const cell = chainOf(heading).find((element) => classesOf(element).includes('ad')) as Element;
    expect(textOf(cell).trim()).toMatch(/^广告\s+云主机特惠/);
    expect(text).toContain('[广告]\n■ 云主机特惠');
    expect(html).not.toContain('#cloud"');
    expect(preheader).not.toContain('云主机');
  });

  test('every item of a section that is an advertisement is labelled, also without its own mark', async () => {
    const { text } = await render(
      chineseIssue({ sections: [section('ads', [item('x')], { ad: true })] }),
    );
    expect(text).toContain('[广告]\n■');
  });

  test('lists its contents with links to the web version, from four items on', async () => {
    const { html } = await render(chineseIssue());
    const links = tagsOf(html, 'a').map((link) => attribute(link, 'href') ?? '');
    const targets = links
      .filter((link) => /^xslot-web-\d+-tolsx#/.test(link))
      .map((link) => link.split('#')[1]);
    expect(targets).toEqual(['tensorrt-llm', 'h100', 'rich', 'falcon']);
    const ids = tagsOf(html, 'h3').map((heading) => attribute(heading, 'id'));
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
    expect((await render(one({}))).html).not.toContain('本期内容');
  });

  test('an id that is no plain ASCII is written as a fragment of a URL', async () => {
    const items = ['一', '二', '三', '四'].map((id) => item(id));
    const { html } = await render(chineseIssue({ sections: [section('s', items)] }));
    expect(html).toContain('-tolsx#%E4%B8%80"');
    expect(html).toContain('id="一"');
  });

  test('divides a title that begins with the newsletter’s name; another stands under the nameplate', async () => {
    const { html } = await render(chineseIssue());
    expect(tagsOf(html, 'h1').map(textOf)).toEqual(['AI大模型周报']);
    expect(bodyText(html)).toContain('2023年9月第3期 · 2023年9月17日星期日');
    const english = (await renderEmail(englishIssue(), englishImprint, weekly)).email;
    expect(tagsOf(english.html, 'h1').map(textOf)).toEqual([
      'A chip maker gives its software away',
    ]);
    expect(bodyText(english.html)).toMatch(/The Model Weekly\s+Sunday, September 17, 2023/);
  });

  test.each([
    ['AI大模型周报', 'AI大模型周报', '2023年9月17日'],
    ['AI大模型周报第三期', 'AI大模型周报', '第三期 · 2023年9月17日'],
    ['AI大模型周报：2023-37', 'AI大模型周报', '2023-37 · 2023年9月17日'],
    ['AI大模型周报道了什么', 'AI大模型周报道了什么', '2023年9月17日'],
  ])('the title "%s" has the heading "%s"', async (title, heading, folio) => {
    const { html } = await render(chineseIssue({ title }));
    expect(tagsOf(html, 'h1').map(textOf)).toEqual([heading]);
    const line = tagsOf(html, 'p').find((paragraph) => classesOf(paragraph).includes('folio'));
    expect(textOf(line as Element)).toBe(`${folio}星期日`);
  });

  test('speaks the language of the issue, English where it knows none', async () => {
    const english = (await renderEmail(englishIssue(), englishImprint, weekly)).email;
    expect(bodyText(english.html)).not.toMatch(/[\u4e00-\u9fff]/);
    expect(english.text).not.toMatch(/[\u4e00-\u9fff]/);
    const french = (await renderEmail(englishIssue({ language: 'fr' }), englishImprint, weekly))
      .email;
    expect(bodyText(french.html)).toContain('dimanche 17 septembre 2023');
    expect(french.text).toContain('Unsubscribe');
  });

  test('D-74: without a postal address there is no empty line for one', async () => {
    const { postalAddress: _, ...sender } = imprint.sender;
    const { email } = await renderEmail(chineseIssue(), { ...imprint, sender }, weekly);
    expect(email.html).not.toContain('地址：');
    expect(email.text).not.toContain('地址：');
  });

  test('a headline may hold a link; in the table of contents stand its words', async () => {
    const linked = item('linked', { headline: '[**OpenAI** 发布](https://openai.com/x) 新模型' });
    const { html, text } = await render(
      chineseIssue({ sections: [section('s', [linked, item('b'), item('c'), item('d')])] }),
    );
    const heading = tagsOf(html, 'h3').find(
      (element) => attribute(element, 'id') === 'linked',
    ) as Element;
    expect(textOf(heading)).toBe('OpenAI 发布 新模型');
    expect(heading.childNodes[0]?.nodeName).toBe('a');
    expect(html).toMatch(/#linked"[^>]*>OpenAI 发布 新模型<\/a>/);
    expect(text).toContain('https://openai.com/x');
  });

  test.each(['1. 苹果发布新机', '- 减号开头', '> 大于号'])(
    'the headline "%s" begins no list or quote',
    async (headline) => {
      const { html, text } = await render(one({ headline }));
      const [heading] = tagsOf(html, 'h3');
      expect(textOf(heading as Element)).toBe(headline);
      expect(text).toContain(`■ ${headline}`);
    },
  );
});

describe('the text part', () => {
  test('H-21: holds every address of the HTML', async () => {
    const { html, text } = await render(chineseIssue());
    const links = tagsOf(html, 'a').map((link) => attribute(link, 'href') ?? '');
    const plain = links
      .filter((link) => !link.startsWith('xslot-web'))
      .map((link) => link.replace('mailto:', ''));
    expect(plain.length).toBeGreaterThan(8);
    expect(plain.filter((link) => !text.includes(link))).toEqual([]);
    expect(text).toMatch(/xslot-web-1-tolsx/);
  });

  test('H-21: wraps no line and keeps headings as they were written', async () => {
    const long = '这是一段很长的话，'.repeat(60);
    const { text } = await render(one({ headline: 'GPT-4 vs. llama.cpp', body: `${long}完。` }));
    expect(text).toContain(`\n${long}完。\n`);
    expect(text).toContain('■ GPT-4 vs. llama.cpp\n');
  });

  test('ends with the way to unsubscribe and one line break', async () => {
    const { text } = await render(chineseIssue());
    expect(text).toMatch(/\n退订：xslot-unsubscribe-1-tolsx\n$/);
    expect(text).not.toMatch(/\n{3}|[ \t]\n|\r/);
  });

  test('escapes nothing', async () => {
    const { text } = await render(one({ headline: 'R&D <em> "x" \'y\' =' }));
    expect(text).toContain('■ R&D <em> "x" \'y\' =');
  });
});

describe('slots', () => {
  test('each marker stands once, numbered from 1 in each part', async () => {
    const { html, text } = await render(chineseIssue());
    const numbers = (part: string, name: string) =>
      findSlots(part)
        .filter((slot) => slot.name === name)
        .map((slot) => slot.n);
    expect(numbers(html, 'unsubscribe')).toEqual([1]);
    expect(numbers(html, 'web')).toEqual([1, 2, 3, 4, 5]);
    expect(numbers(text, 'web')).toEqual([1]);
    expect(numbers(text, 'unsubscribe')).toEqual([1]);
  });

  test.each<[string, Partial<Issue>, number | undefined]>([
    ['the title', { title: 'x xslot-web-1-tolsx' }, undefined],
    ['the opening', { opening: 'xslot-name-7-tolsx' }, undefined],
    ['a section', { sections: [section('s', [], { prose: 'xslot-web-1-tolsx', line: 12 })] }, 12],
    [
      'an item',
      { sections: [section('s', [item('i', { body: 'xslot-web-1-tolsx', line: 31 })])] },
      31,
    ],
    [
      'a link',
      {
        sections: [
          section('s', [item('i', { links: [{ text: 'x', url: 'https://xslot-web-1-tolsx/' }] })]),
        ],
      },
      20,
    ],
  ])('a marker in %s of the issue is refused with its place', async (_, changes, line) => {
    await expect(render(chineseIssue(changes))).rejects.toMatchObject({
      code: 'text-reserved',
      problems: [{ file: 'issues/2023-09-w3/issue.md', line }],
    });
  });
});

describe('text is literal', () => {
  test.each([
    '{{title}}',
    '{{{title}}}',
    "{{slot 'web'}}",
    '{{> item}}',
    '[[x]]',
    '</mj-text><mj-text>',
    '<script>alert(1)</script>',
  ])('%s arrives as it was written, in headline and body', async (words) => {
    const { html, text } = await render(one({ headline: words, body: `前 \`${words}\` 后` }));
    expect(textOf(tagsOf(html, 'h3')[0] as Element).trim()).toBe(words);
    expect(bodyText(html)).toContain(`前 ${words} 后`);
    expect(text).toContain(`■ ${words}`);
    expect(tagsOf(html, 'script')).toEqual([]);
  });

  test('H-31: any words of an issue come out in both parts', async () => {
    const words = fc
      .array(
        fc.constantFrom(
          '字',
          '，',
          'word',
          ' ',
          '&',
          '<',
          '>',
          '"',
          "'",
          '=',
          '{{',
          '}}',
          '$&',
          '\\',
          '</p>',
          '😀',
          '`',
        ),
        {
          minLength: 1,
          maxLength: 20,
        },
      )
      .map((parts) => `始${parts.join('')}终`);
    await fc.assert(
      fc.asyncProperty(words, words, async (headline, body) => {
        const { html, text } = await render(one({ headline, body }));
        expect(bodyText(html).match(/终/g)?.length).toBeGreaterThanOrEqual(2);
        expect(text).toContain('■ 始');
      }),
      { numRuns: 25 },
    );
  });

  test('white space in code is kept', async () => {
    const { html } = await render(one({ body: '```\na {\n\n    <b>\n  }\n```' }));
    expect(textOf(tagsOf(html, 'pre')[0] as Element)).toBe('a {\n\n    <b>\n  }\n');
  });

  test('H-20: bold touches Chinese signs, and a line break in Chinese is no space', async () => {
    const { html } = await render(one({ body: '**重要：**后文\n第二行' }));
    expect(bodyText(html)).toContain('重要：后文第二行');
    expect(tagsOf(html, 'strong').map(textOf)).toContain('重要：');
  });
});

describe('what has no place in a mail', () => {
  test.each(['javascript:alert(1)', '/relative', 'ftp://example.com/', 'data:text/html,x'])(
    'a source link to %s is refused with its place',
    async (url) => {
      await expect(render(one({ links: [{ text: 'x', url }], line: 44 }))).rejects.toMatchObject({
        code: 'markup-refused',
        problems: [{ file: 'issues/2023-09-w3/issue.md', line: 44 }],
      });
    },
  );
});
