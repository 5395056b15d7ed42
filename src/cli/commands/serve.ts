/** The commands that stay: serve, and the demonstration. */
import type { Command } from 'commander';
import type { AddCommand } from '../cli.ts';

export function registerServe(_program: Command, add: AddCommand): void {
  add<{ port?: string }>(
    'serve',
    'schedule, studio and the pages for readers (sign-up, preferences, archive), until Ctrl-C',
    (command) => command.option('--port <n>', 'port of the studio; default: 4321 or a free one'),
    async (call, _, options) => (await import('../serving.ts')).serve(call, options.port),
  );
  add<{ once?: boolean; port?: string }>(
    'demo',
    'the bundled issue, from transcript to an outbox; mails nobody',
    (command) =>
      command
        .option('--once', 'end after the send instead of serving')
        .option('--port <n>', 'port of the studio'),
    async (call, _, options) => (await import('../serving.ts')).runDemo(call, options),
  );
}
