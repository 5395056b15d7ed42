/** Which language a source is written in. */

const HAN = /\p{Script=Han}/gu;
const LETTER = /\p{L}/gu;
/** Enough to tell; a source does not change its language half-way. */
const SAMPLE = 20_000;
/** Chinese technology news is full of Latin names; English news holds next to no Han. */
const HAN_SHARE = 0.15;

/**
 * Detects Chinese or English by the share of Han characters among the letters.
 * @returns BCP 47: `zh-CN` or `en`; `en` for a text without letters
 */
export function detectLanguage(text: string): string {
  return hanShare(text.slice(0, SAMPLE)) >= HAN_SHARE ? 'zh-CN' : 'en';
}

/** Han characters as a share of all letters, 0 to 1; 0 for a text without letters. */
export function hanShare(text: string): number {
  const letters = text.match(LETTER)?.length ?? 0;
  return letters === 0 ? 0 : (text.match(HAN)?.length ?? 0) / letters;
}
