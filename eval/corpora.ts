/**
 * Public news whose items are marked, read from checkouts: the marks are taken out, and the engine has to
 * find them again. Their texts are not ours and are not kept here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldDocument, GoldSegment } from './document.ts';

interface Item {
  paragraphs: string[];
  headline?: string;
  important?: boolean;
}

/** imjuya/juya-ai-daily: a Chinese digest of AI news, a heading above each item. */
export function juya(checkout: string): GoldDocument[] {
  return files(join(checkout, 'BACKUP'), /\.md$/).flatMap(({ name, text }) => {
    const important = importantNumbers(text);
    const items = text
      .split(/^(?=## \[)/m)
      .slice(1)
      .flatMap((block) => {
        const [, headline = '', number = ''] = /^## \[(.*?)\]\(.*`#(\d+)`/.exec(block) ?? [];
        const body =
          block
            .split('\n')
            .slice(1)
            .join('\n')
            .split(/^相关链接/m)[0] ?? '';
        const paragraphs = paragraphsOf(body.replace(/^>.*$/gm, '').replace(/^---$/gm, ''));
        return paragraphs.length > 0
          ? [{ paragraphs, headline, important: important.has(number) }]
          : [];
      });
    return documentOf(name, 'zh-CN', items);
  });
}

/** Items of the overview that stand under 要闻. */
function importantNumbers(text: string): Set<string> {
  const list = /^### 要闻\n([\s\S]*?)(?=^###|^## )/m.exec(text)?.[1] ?? '';
  return new Set([...list.matchAll(/`#(\d+)`/g)].map((match) => match[1] as string));
}

/** ruanyf/weekly: the numbered items under 科技动态. */
export function ruanyf(checkout: string): GoldDocument[] {
  return files(join(checkout, 'docs'), /^issue-\d+\.md$/).flatMap(({ name, text }) => {
    const part = /^## 科技动态\n([\s\S]*?)(?=^## )/m.exec(text)?.[1] ?? '';
    const items = part
      .split(/^(?=\d+、)/m)
      .slice(1)
      .flatMap((block) => {
        const [first = '', ...rest] = block.split('\n');
        const headline = strip(first.replace(/^\d+、/, ''));
        const paragraphs = paragraphsOf(rest.join('\n'));
        return paragraphs.length > 0 ? [{ paragraphs, headline }] : [];
      });
    return documentOf(name, 'zh-CN', items);
  });
}

/** thechangelog/transcripts: spoken news, a break between items. */
export function changelog(checkout: string): GoldDocument[] {
  return files(join(checkout, 'news'), /\.md$/).flatMap(({ name, text }) => {
    const items = text.split(/^\*\*Break:\*\*.*$/m).flatMap((block) => {
      const paragraphs = paragraphsOf(
        block.replace(/^\*\*[^*\n]+:\*\*/gm, '').replace(/\\?\[[\d:.]+\\?\]/g, ''),
      );
      return paragraphs.length > 0 ? [{ paragraphs }] : [];
    });
    return documentOf(name, 'en', items);
  });
}

function files(dir: string, pattern: RegExp): { name: string; text: string }[] {
  if (!existsSync(dir)) throw new Error(`${dir} is not there; give the path of a checkout`);
  return readdirSync(dir)
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => ({ name: file, text: readFileSync(join(dir, file), 'utf8') }));
}

/** Paragraphs of Markdown as one would read them out. */
function paragraphsOf(markdown: string): string[] {
  return strip(markdown)
    .split(/\n+/)
    .map((line) => line.trim())
    .filter((line) => /[\p{L}\p{N}]{2}/u.test(line))
    .map((line) => (/[。！？!?….]["'”’」』）)]*$/u.test(line) ? line : `${line}${endMark(line)}`));
}

function endMark(line: string): string {
  return /\p{Script=Han}/u.test(line) ? '。' : '.';
}

function strip(markdown: string): string {
  return markdown
    .replace(/```[\s\S]*?```/g, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, '')
    .replace(/^\s*(?:[>#|*+-]+|\d+\.)\s+/gm, '')
    .replace(/\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)/g, '');
}

/** One running text without headings; a document of a single item has nothing to find. */
function documentOf(name: string, language: string, items: Item[]): GoldDocument[] {
  if (items.length < 3) return [];
  const gap = language === 'en' ? ' ' : '';
  const segments: GoldSegment[] = [];
  let text = '';
  for (const { paragraphs, headline, important } of items) {
    const start = text.length;
    text += paragraphs.join(gap) + gap;
    const importance = important === undefined ? undefined : Number(important);
    segments.push({ kind: 'item', start, end: text.length, headline, importance });
  }
  return [{ name, language, text, segments, errors: [] }];
}
