/** What machines watch. */
import type { Command } from 'commander';
import { type AddCommand, withNewsletter } from '../cli.ts';

export function registerMetrics(_program: Command, add: AddCommand): void {
  add(
    'metrics',
    'numbers for Prometheus, once; `serve` gives them at metrics.listen',
    (command) => command,
    (call) =>
      withNewsletter(call, async (newsletter) => {
        const { metrics } = await import('../../newsletter/metrics.ts');
        process.stdout.write(await metrics(newsletter));
        return 0;
      }),
  );
}
