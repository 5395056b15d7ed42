/** What a piece of work takes, from now until it is asked. */
export interface Used {
  mails: number;
  /** Wall time, ms; CPU of the process, ms; its largest resident set, MB: NaN where it cannot be had. */
  ms: number;
  cpuMs: number;
  rssMb: number;
}

export function used(): (mails: number) => Used {
  const begun = performance.now();
  const before = process.cpuUsage();
  return (mails) => {
    const { user, system } = process.cpuUsage(before);
    return {
      mails,
      ms: performance.now() - begun,
      cpuMs: (user + system) / 1000,
      rssMb: process.resourceUsage().maxRSS / 1024,
    };
  };
}
