/** Newsletters and issues of which nobody has anything to say, to be broken one thing at a time. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../../src/config/settings.ts';
import { newsletterDirectory, openTestNewsletter } from '../support/newsletter.ts';

const root = resolve(import.meta.dirname, '../..');

export type Language = 'en' | 'zh';
export const ID: Record<Language, string> = { en: '2026-11-w4', zh: '2023-09-w3' };

export const ENGLISH = `---
title: The Model Weekly No. 7
date: 2026-11-22
language: en
subject: A chip maker gives its inference software away
preheader: A small model beats large ones at code, and a car explains how it drives
---

Inference got faster this week, models got smaller, and one more item appeared on the bill: water.

## Infrastructure {#infrastructure}

### NVIDIA will open-source TensorRT-LLM {#tensorrt .lead}

The library splits a model over several chips and batches what they are asked. On current hardware it is said to be
four times as fast as before.

[NVIDIA developer blog](https://developer.example.com/tensorrt)

### How thirsty is a large model? {#water}

A conversation of some twenty questions evaporates half a litre of cooling water, researchers estimate in
[a paper on the water footprint](https://papers.example.com/water).

## Models {#models}

### Falcon 180B arrives {#falcon}

The model has 180 billion parameters and was trained on 3.5 trillion tokens.

[The makers' announcement](https://falcon.example.com/180b)

### A car explains its driving {#lingo}

A driving model says in plain words why it brakes, and can be asked what it sees.

[Wayve](https://wayve.example.com/lingo)
`;

/** Replaces one piece of a text, which has to be there. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`There is no "${from}" to replace`);
  return text.replace(from, to);
}

export interface Changes {
  language?: Language;
  /** Of the issue's file: what is replaced by what. */
  issue?: [string, string][];
  settings?: (settings: Settings) => Settings;
  /** File in templates/, what is replaced by what. */
  templates?: [string, string, string][];
}

/** A newsletter in a directory of its own, with one issue. */
export async function newsletterWith({ language = 'en', issue = [], ...changes }: Changes) {
  const dir = newsletterDirectory();
  const id = ID[language];
  const folder = join(dir, 'issues', id);
  mkdirSync(folder, { recursive: true });
  if (language === 'zh') cpSync(join(root, 'issues', id), folder, { recursive: true });
  const path = join(folder, 'issue.md');
  const good = language === 'zh' ? readFileSync(path, 'utf8') : ENGLISH;
  writeFileSync(
    path,
    issue.reduce((text, [from, to]) => replaced(text, from, to), good),
  );
  for (const [file, from, to] of changes.templates ?? []) {
    const template = join(dir, 'templates', file);
    writeFileSync(template, replaced(readFileSync(template, 'utf8'), from, to));
  }
  const english = (settings: Settings): Settings => ({
    ...settings,
    name: 'The Model Weekly',
    language: 'en',
    sender: { ...settings.sender, name: 'The Editors', postalAddress: '1 Example Street, Oxford' },
  });
  return openTestNewsletter({
    dir,
    settings: (settings) => {
      const own = language === 'en' ? english(settings) : settings;
      return changes.settings ? changes.settings(own) : own;
    },
  });
}
