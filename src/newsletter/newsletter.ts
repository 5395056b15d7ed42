/** What every verb is handed: one newsletter, opened once by main. */
import type { Kysely } from 'kysely';
import type { KeyRing, Secrets } from '../config/secrets.ts';
import type { Settings } from '../config/settings.ts';
import type { Database } from '../store/schema.ts';

export interface Newsletter {
  /** Absolute path of the directory with config/, issues/ and templates/. */
  dir: string;
  /** Absolute path of what this machine writes: database, outbox, keys. `var/` of the directory. */
  stateDir: string;
  settings: Settings;
  secrets: Secrets;
  /** SECRET_KEYS, or the keys in var/secret-keys where it is unset. */
  keys: KeyRing;
  db: Kysely<Database>;
  /** Milliseconds since 1970 UTC. The only clock. */
  clock: () => number;
  /** That many unpredictable bytes. The only chance. */
  random: (bytes: number) => Buffer;
  log: Log;
  /** Program and arguments that start a worker process for this newsletter. */
  workerCommand: readonly string[];
}

/** Structured log of the long-running processes; pino has this shape. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
