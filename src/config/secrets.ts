/** What must never stand in a file under git: read from the environment or config/.env. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { inputError } from '../errors.ts';
import { isPrivateAddress } from './private-addresses.ts';

export interface Secrets {
  /** `smtp://` or `smtps://`, with user and password in it. */
  smtpUrl?: string;
  /** Login by token instead of password, as Google and Microsoft want it. */
  smtpOauth?: SmtpOauth;
  databaseUrl?: string;
  /** Signs unsubscribe links; absent where SECRET_KEYS is unset. */
  keys?: KeyRing;
  /** PEM of the DKIM private key. */
  dkimKey?: string;
  /** Gets what the editor is told, as JSON. */
  alertWebhook?: string;
  /** Mailbox that reports come to: `imaps://user:password@imap.example.com/INBOX`. */
  bouncesImapUrl?: string;
  /** Who may use the API; absent where API_KEYS is unset, and then nobody. */
  apiKeys?: readonly ApiKey[];
}

/** What a key of the API may do: ask for subscriptions, or change and remove readers. */
export const API_SCOPES = ['subscribe', 'manage'] as const;
export type ApiScope = (typeof API_SCOPES)[number];

export interface ApiKey {
  /** Stands in the consent log: `api:site`. */
  name: string;
  scopes: readonly ApiScope[];
  /** SHA-256 of the key: what is compared, in constant time. */
  hash: Buffer;
}

/** A token, or what it takes to get one. */
export interface SmtpOauth {
  accessToken?: string | undefined;
  clientId?: string | undefined;
  clientSecret?: string | undefined;
  refreshToken?: string | undefined;
  /** Where a token is asked for; Google's is the default. */
  accessUrl?: string | undefined;
}

/** Newest first: the first signs, all verify (W-12). */
export type KeyRing = readonly [SecretKey, ...SecretKey[]];

export interface SecretKey {
  /** Short public name of the key, `^[a-z0-9]{1,8}$`. */
  id: string;
  /** At least 32 bytes. */
  key: Buffer;
}

type Environment = Record<string, string | undefined>;

/** Shortest key, bytes: as long as the hash that it keys. */
const KEY_BYTES = 32;

/**
 * Reads the secrets: the environment wins over config/.env, that over .env.
 * @throws BroadsheetError that names the variable and never shows its value
 */
export function loadSecrets({ dir, env }: { dir: string; env: Environment }): Secrets {
  const all = { ...envFile(join(dir, '.env')), ...envFile(join(dir, 'config', '.env')), ...env };
  const secrets: Secrets = {};
  if (all.SMTP_URL) secrets.smtpUrl = smtpUrl(all.SMTP_URL);
  const oauth = smtpOauth(all);
  if (oauth) secrets.smtpOauth = oauth;
  if (all.DATABASE_URL) secrets.databaseUrl = databaseUrl(all.DATABASE_URL);
  if (all.SECRET_KEYS) secrets.keys = parseKeys(all.SECRET_KEYS, 'SECRET_KEYS');
  if (all.API_KEYS) secrets.apiKeys = parseApiKeys(all.API_KEYS);
  if (all.ALERT_WEBHOOK) secrets.alertWebhook = webhook(all.ALERT_WEBHOOK);
  const pem = dkimKey(dir, all);
  if (pem) secrets.dkimKey = pem;
  if (all.BOUNCES_IMAP_URL) secrets.bouncesImapUrl = imapUrl(all.BOUNCES_IMAP_URL);
  return secrets;
}

/**
 * Keys for outbox, preview and loopback where SECRET_KEYS is unset: made once in secret-keys (mode
 * 0600) and read ever after.
 */
export function localKeys(stateDir: string, random: (bytes: number) => Buffer): KeyRing {
  const path = join(stateDir, 'secret-keys');
  if (!existsSync(path))
    writeOnce(path, stateDir, `local:${random(KEY_BYTES).toString('base64url')}\n`);
  return parseKeys(readFileSync(path, 'utf8').trim(), path);
}

/** Whether readers anywhere can reach this address: https and neither loopback, private nor reserved (D-13). */
export function isPublicSite(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  if (protocol !== 'https:') return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return !isPrivateAddress(host);
  return (
    host.includes('.') &&
    !/(^|\.)(localhost|local|internal|test|invalid|example|example\.(com|net|org))$/i.test(host)
  );
}

function envFile(path: string): Environment {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

function webhook(value: string): string {
  const scheme = URL.canParse(value) ? new URL(value).protocol : '';
  if (scheme === 'https:' || scheme === 'http:') return value;
  throw wrong(
    'ALERT_WEBHOOK',
    'is no http:// or https:// address',
    'Write it like https://hooks.example.com/T0/B0/secret.',
  );
}

function smtpUrl(value: string): string {
  const scheme = URL.canParse(value) ? new URL(value).protocol : '';
  if (scheme === 'smtp:' || scheme === 'smtps:') return value;
  throw wrong(
    'SMTP_URL',
    'is no smtp:// or smtps:// address',
    'Write smtps://user:password@relay.example.com; percent-encode special characters of the password.',
  );
}

function imapUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url && /^imaps?:$/.test(url.protocol) && url.username && url.password) return value;
  throw wrong(
    'BOUNCES_IMAP_URL',
    'is no imap:// or imaps:// address with user and password',
    'Write imaps://user:password@imap.example.com/INBOX; percent-encode special characters.',
  );
}

function smtpOauth(all: Environment): SmtpOauth | undefined {
  const accessToken = all.SMTP_ACCESS_TOKEN || undefined;
  const refreshToken = all.SMTP_OAUTH_REFRESH_TOKEN || undefined;
  if (!accessToken && !refreshToken) return undefined;
  const clientId = all.SMTP_OAUTH_CLIENT_ID || undefined;
  const clientSecret = all.SMTP_OAUTH_CLIENT_SECRET || undefined;
  if (refreshToken && !(clientId && clientSecret))
    throw wrong(
      'SMTP_OAUTH_REFRESH_TOKEN',
      'needs SMTP_OAUTH_CLIENT_ID and SMTP_OAUTH_CLIENT_SECRET beside it',
      'Set all three, or SMTP_ACCESS_TOKEN alone.',
    );
  const accessUrl = all.SMTP_OAUTH_URL || undefined;
  return { accessToken, clientId, clientSecret, refreshToken, accessUrl };
}

function databaseUrl(value: string): string {
  if (/^(sqlite|postgres(ql)?):/.test(value)) return value;
  throw wrong(
    'DATABASE_URL',
    'is no database address',
    'Leave it unset for SQLite in var/, or write postgres://user:password@host/database or sqlite:/path/to/file.',
  );
}

/** `k2:base64url,k1:base64url`, newest first. */
function parseKeys(text: string, name: string): KeyRing {
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => parseKey(part, name));
  const [first, ...rest] = keys;
  if (!first) throw wrong(name, 'holds no key', howToMakeKeys);
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw wrong(name, 'names two keys alike', howToMakeKeys);
  return [first, ...rest];
}

function parseKey(part: string, name: string): SecretKey {
  const [, id, encoded] = /^([a-z0-9]{1,8}):([A-Za-z0-9_-]+)$/.exec(part) ?? [];
  if (!id || !encoded) throw wrong(name, 'cannot be read', howToMakeKeys);
  const key = Buffer.from(encoded, 'base64url');
  if (key.length < KEY_BYTES)
    throw wrong(name, `has a key, "${id}", of less than ${KEY_BYTES} bytes`, howToMakeKeys);
  return { id, key };
}

/** `site:subscribe:SECRET,office:subscribe+manage:SECRET`. */
function parseApiKeys(text: string): ApiKey[] {
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(parseApiKey);
  if (new Set(keys.map(({ name }) => name)).size < keys.length)
    throw wrong('API_KEYS', 'names two keys alike', howToMakeApiKeys);
  return keys;
}

function parseApiKey(part: string): ApiKey {
  const [, name, list, secret] =
    /^([a-z0-9][a-z0-9-]{0,31}):([a-z+]+):([A-Za-z0-9_-]+)$/.exec(part) ?? [];
  if (!name || !list || !secret) throw wrong('API_KEYS', 'cannot be read', howToMakeApiKeys);
  const scopes = list.split('+') as ApiScope[];
  const unknown = scopes.find((scope) => !API_SCOPES.includes(scope));
  if (unknown !== undefined)
    throw wrong('API_KEYS', `gives "${name}" an unknown scope, "${unknown}"`, howToMakeApiKeys);
  if (secret.length < API_KEY_LENGTH)
    throw wrong(
      'API_KEYS',
      `has a key, "${name}", of less than ${API_KEY_LENGTH} characters`,
      howToMakeApiKeys,
    );
  return { name, scopes, hash: createHash('sha256').update(secret).digest() };
}

/** Shortest key of the API, characters of base64url: 192 bits. */
const API_KEY_LENGTH = 32;

const howToMakeApiKeys = `It is a list "name:scopes:key"; scopes are ${API_SCOPES.join(' and ')}, joined by "+". Make a key with: node -p "crypto.randomBytes(32).toString('base64url')"`;

const howToMakeKeys =
  'It is a list "name:key", newest first. Make a key with: node -p "crypto.randomBytes(32).toString(\'base64url\')"';

/** The PEM itself, or the path of its file. */
function dkimKey(dir: string, env: Environment): string | undefined {
  const file = env.DKIM_PRIVATE_KEY_FILE;
  if (file && !existsSync(join(dir, file)) && !existsSync(file)) {
    throw wrong(
      'DKIM_PRIVATE_KEY_FILE',
      'names a file that is not there',
      'The path counts from the newsletter’s directory.',
    );
  }
  const pem = file
    ? readFileSync(existsSync(file) ? file : join(dir, file), 'utf8')
    : env.DKIM_PRIVATE_KEY?.replaceAll('\\n', '\n');
  if (!pem) return undefined;
  if (/-----BEGIN (RSA )?PRIVATE KEY-----/.test(pem)) return pem;
  throw wrong(
    file ? 'DKIM_PRIVATE_KEY_FILE' : 'DKIM_PRIVATE_KEY',
    'holds no private key in PEM form',
    'Make one with: openssl genrsa 2048',
  );
}

/** Two processes that start at once agree on the file of the first. */
function writeOnce(path: string, dir: string, text: string): void {
  mkdirSync(dir, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, 'wx', 0o600);
  writeSync(file, text);
  closeSync(file);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
}

function wrong(name: string, what: string, hint: string) {
  return inputError('secret-invalid', `${name} ${what}`, { hint });
}
