/** Mistakes for which no mail can be made at all, told as findings beside all others. */
import type { BroadsheetError } from '../errors.ts';
import { type Check, type Finding, OWN_PAGE } from './check.ts';

type Breakage = Omit<Check, 'find' | 'severity'>;

/** By the code of the error that they are thrown as. */
export const BREAKAGES: readonly Breakage[] = [
  {
    id: 'issue-invalid',
    reason:
      'The file cannot be read as an issue: a heading, an id that stands twice, an address, the head.',
    source: 'H-25',
    url: OWN_PAGE,
  },
  {
    id: 'issue-encoding',
    reason: 'What is not UTF-8 would be mailed as question marks.',
    source: 'D-23',
    url: OWN_PAGE,
  },
  {
    id: 'template-invalid',
    reason:
      'The template has a mistake, or something of the issue does not come out at its other end.',
    source: 'H-31',
    url: 'https://documentation.mjml.io/',
  },
  {
    id: 'template-missing',
    reason: 'A mail is drawn from template files, and one of them is not there.',
    source: 'H-31',
    url: OWN_PAGE,
  },
  {
    id: 'markup-refused',
    reason: 'Some markup works in no mail, and some makes filters take it for an attack.',
    source: 'H-32',
    url: OWN_PAGE,
  },
  {
    id: 'text-reserved',
    reason: 'It would be taken for the place of a reader’s own link.',
    source: 'H-31',
    url: OWN_PAGE,
  },
  {
    id: 'slot-broken',
    reason: 'A place for something of the reader’s own, such as the link to unsubscribe, got lost.',
    source: 'H-31',
    url: OWN_PAGE,
  },
  {
    id: 'header-invalid',
    reason: 'A line break or a strange sign in a value would make header fields that nobody meant.',
    source: 'D-21',
    url: 'https://www.rfc-editor.org/rfc/rfc5322#section-2.2',
  },
  {
    id: 'address-invalid',
    reason: 'A message with an address that is none is refused.',
    source: 'D-26',
    url: 'https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1',
  },
  {
    id: 'picture-invalid',
    reason: 'A picture beside the issue is missing, too large or no picture.',
    source: 'H-13',
    url: OWN_PAGE,
  },
];

/**
 * The findings that an error of composing stands for.
 * @returns undefined for an error that is not about the issue and its templates
 */
export function findingsOfError(error: BroadsheetError, file: string): Finding[] | undefined {
  const breakage = BREAKAGES.find(({ id }) => id === error.code);
  if (!breakage) return undefined;
  return error.problems.map((problem) => ({
    ...breakage,
    url: breakage.url === OWN_PAGE ? `${OWN_PAGE}#${breakage.id}` : breakage.url,
    severity: 'error' as const,
    ...problem,
    file: problem.file ?? file,
  }));
}
