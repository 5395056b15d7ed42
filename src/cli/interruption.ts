/** Signals that come so close to one another are one: a terminal's Ctrl-C, and what npm or the launcher makes of it. ms */
const TOGETHER = 200;

/** Aborted by Ctrl-C and by SIGTERM; a second Ctrl-C ends the process at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let first = Number.NaN;
  const stop = () => {
    if (performance.now() - first > TOGETHER) process.exit(130);
    if (controller.signal.aborted) return;
    first = performance.now();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
