/** What takes minutes among several workers takes seconds here. The order is kept: a beat, death, the longest mail. */

/** How often a worker gives a sign of life, s. */
export const BEAT = 1;
/** It has died when none came for so long, s. */
export const DEAD_AFTER = 6;
/** How often the dead are looked for, s. */
export const LOOK = 2;
/** A session of the database that begins something and falls silent is ended after so long, ms. */
export const SILENT = 3_000;
/** How long a mail of a worker that is gone may still be under way, ms. */
export const LONGEST_MAIL = 120_000;
