/** The frozen content of a campaign, ready to be filled in. */
import { createPublicKey } from 'node:crypto';
import type { Kysely } from 'kysely';
import { failedError } from '../errors.ts';
import { type Signer, sign, verifySignature } from '../message/dkim.ts';
import { deserialise, fillPieces, type Program, programHash } from '../message/program.ts';
import type { Database } from '../store/schema.ts';

export interface Edition {
  program: Program;
  sender: string;
}

/** An amended campaign has an edition that was not there when it was opened. */
export async function editionOf(
  db: Kysely<Database>,
  editions: Map<number, Edition>,
  campaignId: number,
  editionId: number,
): Promise<Edition> {
  if (!editions.has(editionId))
    for (const [id, added] of await openEditions(db, campaignId)) editions.set(id, added);
  const edition = editions.get(editionId);
  if (edition) return edition;
  throw failedError('edition-missing', `Campaign ${campaignId} has no edition ${editionId}`);
}

export async function openEditions(
  db: Kysely<Database>,
  campaignId: number,
): Promise<Map<number, Edition>> {
  const rows = await db
    .selectFrom('editions')
    .select(['id', 'program', 'sender', 'hash'])
    .where('campaign_id', '=', campaignId)
    .execute();
  return new Map(
    rows.map(({ id, program: bytes, sender, hash }) => {
      const program = deserialise(bytes);
      // I11: what is sent is what was frozen.
      if (programHash(program) !== hash)
        throw failedError('edition-damaged', `Edition ${id} is not what was planned`, {
          hint: 'The database is damaged. Put a backup in its place.',
        });
      return [id, { program, sender }];
    }),
  );
}

/** One message is signed and verified before any is sent (D-39). */
export async function trySignature(editions: Map<number, Edition>, signer: Signer): Promise<void> {
  const [edition] = editions.values();
  if (!edition) return;
  const reader = { delivery: 'trial', address: edition.sender, name: null, token: 'trial' };
  const signed = await sign(fillPieces(edition.program, reader), signer);
  verifySignature(Buffer.concat(signed), createPublicKey(signer.key));
}
