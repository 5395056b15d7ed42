/** What PostgreSQL and its driver say when they cannot be worked with, and what to do about it. */
import { BroadsheetError, failedError, inputError } from '../errors.ts';

/** What OpenSSL and Node say of a certificate. */
const UNTRUSTED =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

/**
 * An error of PostgreSQL or its driver in words.
 * @param path of the database, without its password
 * @returns BroadsheetError, or the same error where there are no words for it
 */
export function explain(error: unknown, path: string): unknown {
  if (error instanceof BroadsheetError) return error;
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  if (code === '42501')
    return failedError(
      'database-outdated',
      'The tables are not up to date, and this role may not change them',
      {
        file: path,
        hint: 'As the owner of the database: broadsheet database migrate --grant ROLE',
      },
    );
  if (/^(28|3D)/.test(code))
    return failedError('database-refused', `PostgreSQL lets us not in: ${message}`, {
      file: path,
      hint: 'Look at user, password and database in DATABASE_URL, and at pg_hba.conf.',
    });
  if (code === 'ENOENT' && syscall === 'open')
    return inputError(
      'database-url-invalid',
      `DATABASE_URL names a file that is not there: ${message}`,
      {
        file: path,
        hint: 'sslrootcert, sslcert and sslkey are paths, best absolute ones.',
      },
    );
  if (UNTRUSTED.test(code))
    return failedError(
      'database-untrusted',
      `The certificate of PostgreSQL is not trusted: ${message}`,
      {
        file: path,
        hint: 'sslrootcert in DATABASE_URL names the CA that signed it; its names must have the host.',
      },
    );
  if (/^(08|57P|E[A-Z]+$)/.test(code) || /timeout|terminated|SSL/i.test(message))
    return failedError('database-unreachable', `PostgreSQL cannot be reached: ${message}`, {
      file: path,
      hint: 'Look whether it runs and whether host, port and sslmode in DATABASE_URL are right.',
    });
  return error;
}
