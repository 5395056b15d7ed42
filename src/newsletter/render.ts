/** An issue as files: what a reader would get, for looking at, archiving or sending by other means. */
import { resolve } from 'node:path';
import type { IssueId } from '../issue/issue.ts';
import { writeAtomically } from './files.ts';
import type { Newsletter } from './newsletter.ts';
import { preview } from './preview.ts';

/** Writes ID.html, .txt, .mjml and .eml into a directory. @returns the paths written */
export async function renderFiles(
  newsletter: Newsletter,
  id: IssueId,
  out: string,
): Promise<string[]> {
  const { html, text, mjml, mime } = await preview(newsletter, id);
  const parts = { html, txt: text, mjml, eml: mime };
  return Object.entries(parts).map(([ending, data]) => {
    const path = resolve(out, `${id}.${ending}`);
    writeAtomically(path, data);
    return path;
  });
}
