/** The mail server as a process of its own, and the handle on it: `node receiver-process.ts OPTIONS`, started by `forkReceiver`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openReceiver, type Receiver, type ReceiverOptions } from './receiver.ts';

/** From the process: where it listens, once; how many mails it has, whenever it was asked to tell. */
interface News {
  url?: string;
  stored: number;
}

/** Starts the process. It ends with this one. */
export async function forkReceiver(options: ReceiverOptions): Promise<Receiver> {
  const child = fork(import.meta.filename, [JSON.stringify(options)]);
  const [{ url = '' }] = (await once(child, 'message')) as [News];
  let waiting: { mails: number; resolve: () => void }[] = [];
  let stored = 0;
  child.on('message', (news: News) => {
    stored = Math.max(stored, news.stored);
    for (const { mails, resolve } of waiting) if (mails <= stored) resolve();
    waiting = waiting.filter(({ mails }) => mails > stored);
  });
  return {
    url,
    get stored() {
      return stored;
    },
    received: (mails) =>
      new Promise((resolve) => {
        waiting.push({ mails, resolve });
        child.send({ tell: mails });
      }),
    close: () => child.disconnect(),
  };
}

if (import.meta.main) {
  const receiver = await openReceiver(JSON.parse(process.argv[2] ?? '{}'));
  const tell = (news: News) => process.connected && process.send?.(news);
  process.on('message', async ({ tell: mails }: { tell: number }) => {
    await receiver.received(mails);
    tell({ stored: receiver.stored });
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C goes to the whole group; whoever started this one ends it.
  process.on('SIGINT', () => {});
  tell({ url: receiver.url, stored: 0 });
}
