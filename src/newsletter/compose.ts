/** An issue made ready to be sent: the one way that preview, test, check, approval and campaign share. */
import { createHmac } from 'node:crypto';
import { approvalHash } from '../issue/approval.ts';
import type { Email } from '../issue/email.ts';
import type { IssueId } from '../issue/issue.ts';
import { compile, type Head, type Program } from '../message/program.ts';
import { renderEmail } from '../render/email.ts';
import { linkTargets, redirected } from '../render/links.ts';
import { loadTemplates, type Templates, templateFingerprint } from '../render/templates.ts';
import { numbered, type Target } from './clicks.ts';
import { type IssueFile, readIssue } from './issues.ts';
import type { Newsletter } from './newsletter.ts';
import { type KeptPicture, keepPictures, pictureFingerprints } from './pictures.ts';

export interface Composed extends IssueFile {
  email: Email;
  mjml: string;
  program: Program;
  /** Those that lie beside the issue. */
  pictures: KeptPicture[];
  /** Links that are counted; none where the settings say so. */
  targets: Target[];
  /** Hash that an approval of exactly this has to carry. */
  hash: string;
  approved: boolean;
}

/**
 * Reads, renders and compiles an issue.
 * @param date time of the campaign's start, ms: the message's `Date`
 * @param subjectPrefix put before the subject of test mails
 */
export async function compose(
  newsletter: Newsletter,
  id: IssueId,
  date: number,
  subjectPrefix = '',
): Promise<Composed> {
  const { settings } = newsletter;
  const file = readIssue(newsletter, id);
  const templates = loadTemplates(newsletter.dir, newsletter.settings.template);
  const { pictures, shown } = await keepPictures(newsletter, file);
  const { email, mjml } = await renderEmail(file.issue, newsletter.settings, templates, shown);
  const addressed = { ...email, subject: subjectPrefix + email.subject };
  const targets =
    settings.clicks === 'off' ? [] : await numbered(newsletter, id, linkTargets(email.html));
  const program = compile(counted(addressed, newsletter, id, targets), head(newsletter, id, date));
  const hash = hashToApprove(newsletter, file, templates);
  const approved = file.issue.approved?.hash === hash;
  return { ...file, email: addressed, mjml, program, pictures, targets, hash, approved };
}

/** Hash that an approval of the file, as it stands, has to carry; nothing is rendered for it. */
export function hashToApprove(
  newsletter: Newsletter,
  file: Pick<IssueFile, 'text' | 'path'>,
  templates: Templates,
): string {
  const { clicks } = newsletter.settings;
  return approvalHash({
    text: file.text,
    template: templateFingerprint(templates),
    audience: audienceRule(),
    sender: senderIdentity(newsletter),
    further: [...pictureFingerprints(file), ...(clicks === 'off' ? [] : [`clicks ${clicks}`])],
  });
}

/** The mail with its links counted; the archive keeps those of the issue. */
function counted(
  email: Email,
  { settings }: Newsletter,
  issue: IssueId,
  targets: readonly Target[],
): Email {
  if (targets.length === 0) return email;
  const base = `${settings.site.url.replace(/\/$/, '')}/r/${issue}`;
  const numbers = new Map(targets.map(({ n, url }) => [url, n]));
  return { ...email, html: redirected(email.html, (url) => `${base}/${numbers.get(url)}`) };
}

/** HTML of a mail with each counted link leading where it does lead in the end. */
export function uncounted(html: string, { settings }: Newsletter, composed: Composed): string {
  const base = `${settings.site.url.replace(/\/$/, '')}/r/${composed.issue.id}/`;
  const urls = new Map(composed.targets.map(({ n, url }) => [`${base}${n}`, url]));
  return redirected(html, (link) => urls.get(link) ?? link);
}

function head(newsletter: Newsletter, issue: IssueId, date: number): Head {
  const { settings } = newsletter;
  const site = settings.site.url.replace(/\/$/, '');
  return {
    from: { name: settings.sender.name, address: settings.sender.address },
    ...(settings.sender.replyTo ? { replyTo: settings.sender.replyTo } : {}),
    listId: { id: settings.listId, name: settings.name },
    date,
    helpUrl: `${site}/`,
    archivedAt: `${site}/issues/${issue}`,
    links: {
      unsubscribe: `${site}/u/{token}`,
      preferences: `${site}/u/{token}/preferences`,
      web: `${site}/issues/${issue}`,
    },
    identity: {
      issue,
      domain: settings.sender.address.slice(settings.sender.address.lastIndexOf('@') + 1),
      salt: identitySalt(newsletter, issue, date),
    },
  };
}

/** Makes Message-IDs that nobody can guess and that stay the same for a campaign. */
function identitySalt(newsletter: Newsletter, issue: IssueId, date: number): string {
  const [key] = newsletter.keys;
  return createHmac('sha256', key.key).update(`message-id|${issue}|${date}`).digest('base64url');
}

/** Whom an approval is for: the list. A segment that `send` names is a part of it. */
function audienceRule(): string {
  return 'all';
}

function senderIdentity({ settings }: Newsletter): string {
  return JSON.stringify([settings.sender, settings.listId, settings.name]);
}
