/** Whom a preview is made for: readers that show what may go wrong, or one of the list. */
import { reachable } from '../audience/reachable.ts';
import { findSubscriber } from '../audience/subscribers.ts';
import { inputError } from '../errors.ts';
import type { Reader } from '../message/program.ts';
import type { Newsletter } from './newsletter.ts';
import { inSegment } from './segments.ts';

/** Links in a preview open pages and unsubscribe nobody: no reader has this token. */
const INERT = { delivery: 'preview', token: 'preview' };

/** By the name that the studio takes. */
export const SAMPLE_READERS = {
  'no-name': { address: 'reader@example.net', name: null },
  chinese: { address: 'xiaoyu@example.cn', name: '欧阳晓雨' },
  english: { address: 'alex.morgan@example.net', name: 'Alex Morgan' },
  'long-name': {
    address: 'the.reader.with.a.very.long.address.indeed@department.university.example.org',
    name: 'Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff y Fernández de la Torre III',
  },
  'right-to-left': { address: 'layla@example.com', name: 'ليلى الحداد' },
  markup: { address: "o'brien@example.com", name: '<b>O’Brien</b> & “Sons”' },
} as const;

/** Before the name of a segment: its first reader. */
const SEGMENT = 'segment:';

/**
 * @param given a name of SAMPLE_READERS, `segment:NAME`, or the address of somebody on the list
 * @throws BroadsheetError `reader-unknown`, `segment-unknown`, `address-invalid`
 */
export async function readerFor(
  newsletter: Newsletter,
  given: string = 'no-name',
): Promise<Reader> {
  if (Object.hasOwn(SAMPLE_READERS, given))
    return { ...INERT, ...SAMPLE_READERS[given as keyof typeof SAMPLE_READERS] };
  if (given.startsWith(SEGMENT)) return firstOf(newsletter, given.slice(SEGMENT.length));
  const { db, settings } = newsletter;
  const reader = await findSubscriber(db, settings.slug, given);
  if (reader) return { ...INERT, address: reader.address, name: reader.name };
  throw inputError('reader-unknown', `${given} is not on the list`, {
    hint: `Name an address of the list, or one of: ${Object.keys(SAMPLE_READERS).join(', ')}.`,
  });
}

/** Who has been longest in a segment, of those who may be mailed. */
async function firstOf(newsletter: Newsletter, segment: string): Promise<Reader> {
  const reader = await newsletter.db
    .selectFrom('subscribers')
    .select(['address', 'name'])
    .where('newsletter', '=', newsletter.settings.slug)
    .where(reachable())
    .where(inSegment(newsletter, segment))
    .orderBy('id')
    .executeTakeFirst();
  if (reader) return { ...INERT, ...reader };
  throw inputError('reader-unknown', `Nobody who may be mailed is in the segment "${segment}"`, {
    hint: 'Look for another reader meanwhile, or change the condition in config/newsletter.yaml.',
  });
}
