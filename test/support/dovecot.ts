/** A real IMAP server (Dovecot) on a free port of loopback, with one user and one mailbox; it ends with the test. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './newsletter.ts';

const PROGRAM = '/usr/sbin/dovecot';
export const hasDovecot = existsSync(PROGRAM);

export interface Dovecot {
  /** With user and password. */
  url: string;
  port: number;
  /** Path of the certificate that it shows with TLS, signed by itself. */
  certificate: string;
  /** What it has written down. */
  log(): string;
}

export async function startDovecot({ tls = false } = {}): Promise<Dovecot> {
  const dir = temporaryDirectory();
  const port = await freePort();
  const config = join(dir, 'dovecot.conf');
  const certificate = join(dir, 'cert.pem');
  if (tls) makeCertificate(dir, certificate);
  writeFileSync(config, configOf(dir, port, tls));
  const child = spawn(PROGRAM, ['-F', '-c', config], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  for (let tries = 0; !(await answers(port, tls)); tries += 1) {
    if (tries > 100) throw new Error(readFileSync(join(dir, 'log'), 'utf8'));
    await sleep(50);
  }
  const scheme = tls ? 'imaps' : 'imap';
  const url = `${scheme}://reports:secret%21@127.0.0.1:${port}/INBOX`;
  return { url, port, certificate, log: () => readFileSync(join(dir, 'log'), 'utf8') };
}

/** Root may own no mail there, and everybody else may become nobody else. */
function configOf(dir: string, port: number, tls: boolean): string {
  const listener = tls ? 'imaps' : 'imap';
  const certificates = tls ? `ssl_cert = <${dir}/cert.pem\nssl_key = <${dir}/key.pem\n` : '';
  const isRoot = process.getuid?.() === 0;
  const [uid, gid] = isRoot ? [8, 8] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const mail = join(dir, 'mail');
  mkdirSync(mail);
  chmodSync(dir, 0o755);
  if (isRoot) chownSync(mail, uid, gid);
  const user = process.env.USER ?? 'nobody';
  const own = isRoot ? '' : `default_login_user = ${user}\ndefault_internal_user = ${user}\n`;
  return `protocols = imap
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
ssl = ${tls ? 'required' : 'no'}
${certificates}disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${mail}
${own}service imap-login {
  chroot =
  inet_listener ${listener} {
    address = 127.0.0.1
    port = ${port}
    ssl = ${tls ? 'yes' : 'no'}
  }
  inet_listener ${tls ? 'imap' : 'imaps'} {
    port = 0
  }
}
service anvil {
  chroot =
}
passdb {
  driver = static
  args = password=secret!
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${mail}
}
`;
}

function makeCertificate(dir: string, certificate: string): void {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(dir, 'key.pem'), '-out', certificate];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
    { stdio: 'ignore' },
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Whether it greets; with TLS, whether it takes a connection. */
function answers(port: number, tls: boolean): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    if (tls)
      socket.on('connect', () => {
        done(true);
        socket.destroy();
      });
    socket.on('data', () => {
      done(true);
      socket.destroy();
    });
    socket.on('error', () => done(false)).on('close', () => done(false));
  });
}
