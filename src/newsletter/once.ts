/** A request of the API that is sent twice is done once (Idempotency-Key): its answer is kept for a day. */
import { createHash } from 'node:crypto';
import type { Newsletter } from './newsletter.ts';

/** How long an answer is kept, ms. */
const KEPT = 86_400_000;

/** Longer than that no request takes, ms. */
const LONGEST = 60_000;

export interface ApiAnswer {
  status: number;
  /** Told as JSON. */
  body: object;
}

export interface ApiRequest {
  /** Name of the API key. */
  client: string;
  /** As the client chose it. */
  idempotencyKey: string;
  /** Method, path and body: the same key for another request is a mistake. */
  content: string;
}

/**
 * Does the work, or gives the answer that it got the first time. What fails is not kept: it may be tried again.
 * @returns 409 while the first one is being worked on, 422 where the key was used for another request
 */
export async function once(
  newsletter: Newsletter,
  request: ApiRequest,
  work: () => Promise<ApiAnswer>,
): Promise<ApiAnswer> {
  const { db } = newsletter;
  await sweepAnswers(newsletter);
  if (!(await begin(newsletter, request))) return answerBefore(newsletter, request);
  try {
    const answer = await work();
    await db
      .updateTable('answers')
      .set({ status: answer.status, body: JSON.stringify(answer.body) })
      .where(({ and }) => and(rowOf(newsletter, request)))
      .execute();
    return answer;
  } catch (error) {
    await db
      .deleteFrom('answers')
      .where(({ and }) => and(rowOf(newsletter, request)))
      .execute();
    throw error;
  }
}

/** Removes answers that are a day old, and requests that a process has left undone. */
export async function sweepAnswers({ db, settings, clock }: Newsletter): Promise<void> {
  await db
    .deleteFrom('answers')
    .where('newsletter', '=', settings.slug)
    .where(({ or, and, eb }) =>
      or([
        eb('created_at', '<=', clock() - KEPT),
        and([eb('status', 'is', null), eb('created_at', '<=', clock() - LONGEST)]),
      ]),
    )
    .execute();
}

/** False where the key has been used. */
async function begin(newsletter: Newsletter, request: ApiRequest): Promise<boolean> {
  const { db, clock } = newsletter;
  const row = await db
    .insertInto('answers')
    .values({
      ...rowOf(newsletter, request),
      request_hash: hashOf(request),
      created_at: clock(),
    })
    .onConflict((conflict) =>
      conflict.columns(['newsletter', 'client', 'idempotency_key']).doNothing(),
    )
    .returning('client')
    .executeTakeFirst();
  return row !== undefined;
}

async function answerBefore(newsletter: Newsletter, request: ApiRequest): Promise<ApiAnswer> {
  const before = await newsletter.db
    .selectFrom('answers')
    .selectAll()
    .where(({ and }) => and(rowOf(newsletter, request)))
    .executeTakeFirst();
  if (before && before.request_hash !== hashOf(request)) {
    return refused(422, 'idempotency-key-used', 'This Idempotency-Key belongs to another request');
  }
  if (before?.status == null) {
    return refused(409, 'idempotency-key-busy', 'The first request with this key is not done yet');
  }
  return { status: before.status, body: JSON.parse(before.body ?? '{}') };
}

/** The row of a request. */
function rowOf({ settings }: Newsletter, { client, idempotencyKey }: ApiRequest) {
  return { newsletter: settings.slug, client, idempotency_key: idempotencyKey };
}

function hashOf({ content }: ApiRequest): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An error as the API tells it. */
export function refused(status: number, code: string, message: string): ApiAnswer {
  return { status, body: { error: { code, message } } };
}
