/** Recognised speech → print: one line, and in Chinese the marks of Chinese. */

const FULL_WIDTH: Record<string, string> = {
  ',': '，',
  ':': '：',
  ';': '；',
  '?': '？',
  '!': '！',
};
const HAN = '\\p{Script=Han}';
const MARK = new RegExp(`(?<=[${HAN}》」”）])([,:;?!])\\s?|([,:;])(?=\\s?[${HAN}《「“])\\s?`, 'gu');

/**
 * White space as single spaces; in Chinese full-width marks beside Han, and `、` between Latin names
 * that a comma joins (`Meta,Cohere`).
 */
export function printed(text: string, language: 'zh' | 'en'): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (language !== 'zh') return line;
  return line
    .replace(MARK, (_, after: string, before: string) => FULL_WIDTH[after ?? before]!)
    .replace(/(?<=\p{Script=Latin}),(?=\p{Script=Latin})/gu, '、');
}

const BETWEEN =
  /(?<=\p{Script=Han})(?=[\p{Script=Latin}\d])|(?<=[\p{Script=Latin}\d%％])(?=\p{Script=Han})/gu;

/** As an editor sets it: a space between Chinese and what is Latin or a number. Speech has none. */
export function typeset(text: string, language: 'zh' | 'en'): string {
  return language === 'zh' ? text.replace(BETWEEN, ' ') : text;
}

/** Without the spaces that only typography puts there: the same words, however they are set. */
export function untypeset(text: string): string {
  return text.replace(/(?<=\p{Script=Han})[^\S\n]+|[^\S\n]+(?=\p{Script=Han})/gu, '');
}
