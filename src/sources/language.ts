/** Which language a source is written in. */

const HAN = /\p{Script=Han}/gu;
const LETTER = /\p{L}/gu;
/** Enough to tell; a source does not change its language half-way. */
const SAMPLE = 20_000;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Chinese technology news is full of Latin names; English news holds next to no Han. */
const HAN_SHARE = 0.25;

/**
 * Detects Chinese or English by the number of Han characters beside that of the other words.
 * @returns BCP 47: `zh-CN` or `en`; `en` for a text without letters
 */
export function detectLanguage(text: string): string {
  const sample = text.slice(0, SAMPLE);
  const han = sample.match(HAN)?.length ?? 0;
  const words = sample.replace(HAN, ' ').match(WORD)?.length ?? 0;
  return han > 0 && han >= (han + words) * HAN_SHARE ? 'zh-CN' : 'en';
}

/** Han characters as a share of all letters, 0 to 1; 0 for a text without letters. */
export function hanShare(text: string): number {
  const letters = text.match(LETTER)?.length ?? 0;
  return letters === 0 ? 0 : (text.match(HAN)?.length ?? 0) / letters;
}
