/** What must never stand in a file under git: read from the environment or config/.env. */

export interface Secrets {
  smtpUrl?: string;
  databaseUrl?: string;
  /** Signs unsubscribe links; absent where SECRET_KEYS is unset. */
  keys?: KeyRing;
  /** PEM of the DKIM private key. */
  dkimKey?: string;
}

/** Newest first: the first signs, all verify (W-12). */
export type KeyRing = readonly [SecretKey, ...SecretKey[]];

export interface SecretKey {
  /** Short public name of the key, `^[a-z0-9]{1,8}$`. */
  id: string;
  /** At least 32 bytes. */
  key: Buffer;
}
