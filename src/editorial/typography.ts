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
