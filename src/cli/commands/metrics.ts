/** What machines watch. */
import type { Command } from 'commander';
import { type AddCommand, withNewsletter } from '../cli.ts';

export function registerMetrics(_program: Command, add: AddCommand): void {
  add(
    'metrics',
    'numbers for Prometheus, once; with the setting metrics.listen, `serve` offers them',
    (command) => command,
    (call) =>
      withNewsletter(call, async (newsletter) => {
        const { metrics } = await import('../../newsletter/metrics.ts');
        process.stdout.write(await metrics(newsletter));
        return 0;
      }),
  );
}
