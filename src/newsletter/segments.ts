/** The segments of the settings, and who is in them now. */
import type { Expression, SqlBool } from 'kysely';
import { matches, segmentNamed } from '../audience/segments.ts';
import type { Newsletter } from './newsletter.ts';

/** True for a row of `subscribers` that is in the segment now. @throws BroadsheetError `segment-unknown` */
export function inSegment({ db, settings, clock }: Newsletter, name: string): Expression<SqlBool> {
  const condition = segmentNamed(settings.segments, name);
  return matches(condition, { db, fields: settings.fields, now: clock() });
}
