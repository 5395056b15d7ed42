/** Issues to render in tests. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Issue, Item, Section } from '../../src/issue/issue.ts';
import { loadTemplates } from '../../src/render/templates.ts';

export const root = resolve(import.meta.dirname, '../..');
export const weekly = loadTemplates(root, 'weekly');

export const imprint = {
  name: 'AI大模型周报',
  sender: {
    name: 'AI大模型周报编辑部',
    address: 'weekly@news.example.com',
    replyTo: 'editor@news.example.com',
    postalAddress: '示例街 1 号，上海 200000',
  },
};

export const englishImprint = {
  name: 'The Model Weekly',
  sender: { ...imprint.sender, name: 'The Editors', postalAddress: '1 Example Street, Shanghai' },
};

export function item(id: string, changes: Partial<Item> = {}): Item {
  return {
    id,
    headline: `关于 ${id} 的消息`,
    lead: false,
    held: false,
    ad: false,
    body: `${id} 今天发布了新版本。\n\n详情见[${id} 的公告](https://example.com/${id})。`,
    links: [{ text: `${id} 官网`, url: `https://www.example.com/${id}` }],
    line: 20,
    ...changes,
  };
}

export function section(id: string, items: Item[], changes: Partial<Section> = {}): Section {
  return { id, name: `栏目 ${id}`, held: false, ad: false, prose: '', items, line: 10, ...changes };
}

/** A lead, ordinary items, an advertisement, held matter, and everything that Markdown can do. */
export function chineseIssue(changes: Partial<Issue> = {}): Issue {
  return {
    id: '2023-09-w3',
    title: 'AI大模型周报 2023年9月第3期',
    date: '2023-09-17',
    language: 'zh-CN',
    opening: '本周**很热闹**，从[芯片](https://example.com/chips)说起。',
    sections: [
      section('infrastructure', [
        item('tensorrt-llm', { lead: true, headline: '英伟达将开源推理加速软件 TensorRT-LLM' }),
        item('h100'),
        item('secret', { held: true, headline: '压下的稿子' }),
      ]),
      section('models', [item('rich', { body: richBody }), item('falcon')], {
        prose: '模型一栏的话。',
      }),
      section('partners', [item('cloud', { ad: true, headline: '云主机特惠' })], { ad: true }),
      section('drawer', [item('later')], { held: true, name: '抽屉' }),
    ],
    ...changes,
  };
}

const richBody = [
  '段落里有 `bf16`、*强调*、**重要：**后文，和 <https://example.com/bare>。',
  '- 参数：10 亿\n- 训练：两周',
  '> 引用一句话。',
  '![对比图](https://example.com/chart.png)',
  '| 模型 | 参数 |\n|---|--:|\n| Phi | 13 亿 |',
  '```\npip install\n    <indented> & {{kept}}\n```',
].join('\n\n');

export function englishIssue(changes: Partial<Issue> = {}): Issue {
  const english = (id: string, headline: string) =>
    item(id, {
      headline,
      body: `The makers of ${id} published it on Tuesday, and [the paper](https://example.com/${id}).`,
      links: [{ text: 'Company blog', url: `https://blog.example.com/${id}` }],
    });
  return {
    id: '2023-09-w3-en',
    title: 'A chip maker gives its software away',
    date: '2023-09-17',
    language: 'en',
    opening: 'NVIDIA gives its inference stack away.',
    sections: [
      section(
        'infrastructure',
        [
          { ...english('tensorrt', 'NVIDIA will open-source TensorRT-LLM'), lead: true },
          english('water', 'How thirsty is a large model?'),
        ],
        { name: 'Infrastructure' },
      ),
      section(
        'models',
        [
          english('falcon', 'Falcon 180B arrives'),
          { ...english('hours', 'GPUs by the hour'), ad: true },
        ],
        { name: 'Models' },
      ),
      section('robots', [english('lingo', 'A car explains its driving')], { name: 'Robots' }),
    ],
    ...changes,
  };
}

/** Sixteen items with the whole of the transcript as their text. */
export function longIssue(): Issue {
  const transcript = readFileSync(resolve(root, 'issues/2023-09-w3/transcript.txt'), 'utf8').trim();
  const sentences = transcript.split(/(?<=。)/);
  const size = Math.ceil(sentences.length / 16);
  const items = Array.from({ length: 16 }, (_, n) => {
    const own = sentences.slice(n * size, (n + 1) * size);
    const body = own.join('\n\n') || '完。';
    return item(`story-${n + 1}`, { headline: body.slice(0, 30).trim(), body, lead: n % 8 === 0 });
  });
  const sections = Array.from({ length: 8 }, (_, n) => {
    return section(`section-${n + 1}`, items.slice(2 * n, 2 * n + 2));
  });
  return chineseIssue({ sections });
}
