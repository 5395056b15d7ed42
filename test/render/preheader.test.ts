import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columns, preheaderOf } from '../../src/render/preheader.ts';
import { chineseIssue, englishIssue, item, section } from './issues.ts';

const withHeadlines = (...headlines: string[]) =>
  chineseIssue({
    opening: '',
    sections: [
      section(
        's',
        headlines.map((headline, n) => item(`i${n}`, { headline })),
      ),
    ],
  });

describe('columns', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['中文', 4],
    ['，。「」', 8],
    ['ＡＢ', 4],
    ['かな カナ 한글', 14],
    ['é', 1],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['GPT-4 上线', 10],
  ])('"%s" is %i wide', (text, width) => {
    expect(columns(text)).toBe(width);
  });
});

describe('H-15: the preheader', () => {
  test('is what the editor wrote, whatever it is', () => {
    expect(preheaderOf(chineseIssue({ preheader: '短' }))).toBe('短');
  });

  test('is made of the leading headlines, leads first', () => {
    const issue = withHeadlines('第一条消息在这里说话', '第二条消息', '第三条消息才是头条新闻');
    const [only] = issue.sections;
    if (only?.items[2]) only.items[2].lead = true;
    expect(preheaderOf(issue)).toBe('第三条消息才是头条新闻；第一条消息在这里说话；第二条消息');
  });

  test('has 40 to 90 columns where there is so much to say', () => {
    const headline = fc
      .array(fc.constantFrom('模型', 'GPT-4 ', '发布', 'open source ', '，', '芯片'), {
        minLength: 1,
        maxLength: 30,
      })
      .map((parts) => `新${parts.join('')}`.trim());
    fc.assert(
      fc.property(fc.array(headline, { minLength: 12, maxLength: 16 }), (headlines) => {
        const width = columns(preheaderOf(withHeadlines(...headlines)));
        expect(width).toBeGreaterThanOrEqual(40);
        expect(width).toBeLessThanOrEqual(90);
      }),
    );
  });

  test('cuts a long headline after a whole word', () => {
    const issue = withHeadlines(`${'Reinforcement learning '.repeat(6)}ends`);
    expect(preheaderOf(issue)).toMatch(/^(Reinforcement learning )+Reinforcement…$/);
  });

  test('never is the subject again', () => {
    const issue = { ...withHeadlines('头条新闻', '另一条'), subject: '头条新闻' };
    expect(preheaderOf(issue)).toBe('另一条');
  });

  test('goes on with the opening where the headlines are short', () => {
    const issue = {
      ...withHeadlines('短讯'),
      opening:
        '本周\n真**很热闹**，从[芯片](https://example.com/)说起，到机器人为止，中间还有一些别的。',
    };
    expect(preheaderOf(issue)).toBe(
      '短讯；本周真很热闹，从芯片说起，到机器人为止，中间还有一些别的。',
    );
  });

  test('has no Markdown in it, and separates English headlines with a dot', () => {
    const issue = englishIssue();
    expect(preheaderOf(issue)).toBe(
      'NVIDIA will open-source TensorRT-LLM · How thirsty is a large model? · Falcon 180B arrives',
    );
  });
});
