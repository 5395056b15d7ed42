import { loadSettings } from '../../src/config/load.ts';

/** The settings that ship: sections, lexicons and glossary as every user gets them. */
export const settings = loadSettings('.');
