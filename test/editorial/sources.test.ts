/** Drafts of other sources than one transcript: timed speech, and feeds and notes beside it. */
import { describe, expect, test } from 'vitest';
import { composeIssue } from '../../src/editorial/compose.ts';
import { draftSources } from '../../src/editorial/draft.ts';
import { formatIssue } from '../../src/issue/format.ts';
import type { SourceText } from '../../src/issue/source.ts';
import { layOut } from '../../src/sources/entries.ts';
import { readSubtitles } from '../../src/sources/subtitles.ts';
import { settings } from './settings.ts';

const head = { id: 'x', title: 'x', date: '2023-09-17', language: 'zh-CN' };
const fileOf = (sources: SourceText[]) =>
  formatIssue(composeIssue(draftSources(sources, settings), sources, settings, head));

const spoken: SourceText = {
  name: 'talk.txt',
  language: 'zh-CN',
  text: '微软研究人员推出代码生成模型phi-1.5，参数仅10亿，只用8个A100训练了两周。腾讯健康公布医疗大模型，覆盖智能问答等场景。',
};

function notes(...items: { title: string; body: string; url: string }[]): SourceText {
  const given = items.map(({ title, body, url }) => ({
    title,
    body,
    links: [{ text: title, url }],
  }));
  return { name: 'notes.yaml', language: 'zh-CN', ...layOut(given) };
}

const phi = {
  title: '微软发布 phi-1.5',
  body: '微软研究院的 phi-1.5 有 13亿 参数，在 8 个 A100 上训练。',
  url: 'https://ms.example/phi',
};
const other = {
  title: '某公司开源数据库 FooDB',
  body: 'FooDB 的写入速度提升 3 倍。',
  url: 'https://foo.example',
};

describe('feeds and notes', () => {
  test('give their items as they are: no boundary is looked for, no headline is made up', () => {
    const { sources, items } = draftSources([notes(phi, other)], settings);
    expect(sources[0]?.segments.map(({ kind, confidence }) => [kind, confidence])).toEqual([
      ['item', 1],
      ['item', 1],
    ]);
    expect(items.map(({ headline }) => headline).sort()).toEqual([phi.title, other.title].sort());
    expect(items.every(({ links }) => links?.length === 1)).toBe(true);
  });

  test('that tell what was said give the link; the words stay those that were said', () => {
    const { items } = draftSources([notes(phi, other), spoken], settings);
    const story = items.find(({ source }) => source.name === 'talk.txt' && source.start === 0);
    expect(story).toMatchObject({
      links: [{ url: phi.url }],
      also: [{ name: 'notes.yaml' }],
    });
    expect(items.filter(({ headline }) => headline.includes('phi-1.5'))).toHaveLength(1);
    expect(items.some(({ headline }) => headline === other.title)).toBe(true);
  });

  test('whose number is another one is a mark for the editor, with both', () => {
    const file = fileOf([spoken, notes(phi)]);
    expect(file).toContain('<!-- check: “10亿”？notes.yaml: 13亿 -->');
    expect(file).toContain(`[${phi.title}](${phi.url})`);
  });

  test('spell the names that were misheard, though no glossary knows them', () => {
    const heard: SourceText = {
      name: 'talk.txt',
      language: 'zh-CN',
      text: '初创公司Zephirix发布机器人模型，参数27亿，在仓库里测试了三个月。',
    };
    const spelt = notes({
      title: 'Zephyrix 发布机器人模型',
      body: '初创公司 Zephyrix 的模型有 27亿 参数。',
      url: 'https://zephyrix.example',
    });
    const [alone] = draftSources([heard], settings).sources;
    expect(alone?.repairs).toEqual([]);
    const { sources, items } = draftSources([heard, spelt], settings);
    expect(sources[0]?.repairs).toMatchObject([{ from: 'Zephirix', to: 'Zephyrix' }]);
    expect(items).toHaveLength(1);
    expect(items[0]?.links).toHaveLength(1);
  });

  test('that agree leave no mark', () => {
    const agreeing = notes({ ...phi, body: phi.body.replace('13亿', '10亿') });
    expect(fileOf([spoken, agreeing])).not.toContain('notes.yaml:');
  });

  test('that may tell the same, but share neither number nor two names, are linked and not made one', () => {
    const heard: SourceText = {
      name: 'talk.txt',
      language: 'zh-CN',
      text: 'Zephyrix发布机器人模型，在仓库里测试，能够搬运箱子。腾讯健康公布医疗大模型，覆盖智能问答等场景。',
    };
    const vague = notes({
      title: 'Zephyrix 的机器人模型',
      body: '机器人模型在仓库里测试，能够搬运箱子。',
      url: 'https://vague.example',
    });
    const { items } = draftSources([heard, vague], settings);
    expect(items).toHaveLength(3);
    const [story] = items.filter(({ source }) => source.name === 'talk.txt' && source.start === 0);
    const [other] = items.filter(({ source }) => source.name === 'notes.yaml');
    expect(story?.related).toEqual([other?.id]);
    expect(other?.related).toEqual([story?.id]);
    expect(fileOf([heard, vague])).toMatch(/<!-- check: 是否同一条新闻：/);
  });

  test('of the same company and other news are no evidence', () => {
    const unrelated = notes({
      title: '微软裁员',
      body: '微软宣布裁员 1900 人，集中在游戏部门。',
      url: 'https://ms.example/layoffs',
    });
    const { items } = draftSources([spoken, unrelated], settings);
    expect(items).toHaveLength(3);
    expect(items.every(({ also }) => also.length === 0)).toBe(true);
  });
});

describe('subtitles', () => {
  const line = (from: number, to: number, words: string) => {
    const time = (seconds: number) =>
      new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', ',');
    return `${time(from)} --> ${time(to)}\n${words}\n`;
  };
  const srt = [
    line(0, 3, '各位听众好，欢迎收听社区一周。'),
    line(3.8, 6, '市图书馆周一宣布'),
    line(6.1, 9, '将在东城区新建一座分馆。'),
    line(9.1, 12, '新馆藏书二十万册。'),
    line(14, 17, '地铁三号线周三起延长运营时间'),
    line(17.1, 19, '末班车推迟到零点三十分。'),
    line(21, 24, '本市马拉松将于十月十二日举行。'),
    line(24.1, 27, '感谢收听，我们下周再见。'),
  ].join('\n');
  const timed: SourceText = { name: 's.srt', language: 'zh-CN', ...readSubtitles(srt, 's.srt') };

  test('are cut where the host draws breath, and every stretch has its times', () => {
    const { sources, items } = draftSources([timed], settings);
    expect(sources[0]?.segments.map(({ kind, startMs, endMs }) => [kind, startMs, endMs])).toEqual([
      ['intro', 0, 3_000],
      ['item', 3_800, 12_000],
      ['item', 14_000, 19_000],
      ['item', 21_000, 24_000],
      ['outro', 24_100, 27_000],
    ]);
    expect(items[0]?.source).toMatchObject({ startMs: 3_800, endMs: 12_000 });
  });

  test('whose breath counts nothing in the settings are cut by their words alone', () => {
    const silent = { ...settings, show: { ...settings.show, pauseWeight: 0 } };
    const [source] = draftSources([timed], silent).sources;
    expect(source?.segments.every(({ signals }) => !('pause' in (signals ?? {})))).toBe(true);
  });
});
