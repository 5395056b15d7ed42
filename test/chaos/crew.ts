/** Worker processes and whoever starts each one again when it ends, as systemd would. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Member {
  readonly pid: number;
  /** By the monotonic clock, ms. */
  readonly since: number;
  readonly frozen: boolean;
}

export interface Crew {
  /** The worker in a place now, or the next one that is not frozen. */
  at(place: number): Member;
  /** kill -9; another one begins in its place. Resolves when it is dead. */
  kill(member: Member): Promise<void>;
  freeze(member: Member): void;
  thaw(member: Member): void;
  /** Times that one ended by itself, by what it said. */
  readonly failures: Record<string, number>;
  /** SIGTERM to all. @returns how each ended: its exit code or signal, and after how long, ms */
  stop(): Promise<{ end: number | string; ms: number }[]>;
}

/** Pause before one that ended by itself begins again, ms. */
const REST = 200;

/**
 * @param start one more worker
 * @param saidSince what workers said on stderr since the last call
 */
export function openCrew(size: number, start: () => ChildProcess, saidSince: () => string): Crew {
  interface Working extends Member {
    child: ChildProcess;
    frozen: boolean;
  }
  const members: Working[] = [];
  const failures: Record<string, number> = {};
  let isOver = false;
  for (let place = 0; place < size; place += 1) begin(place);
  process.once('exit', () => {
    for (const { child } of members) child.kill('SIGKILL');
  });

  function begin(place: number): void {
    const child = start();
    members[place] = { child, pid: child.pid as number, since: performance.now(), frozen: false };
    child.once('exit', async (code, signal) => {
      if (isOver) return;
      if (signal !== 'SIGKILL') {
        const [words = `exit code ${code ?? signal}`] =
          /^(✗|\w+ failed).*/m.exec(saidSince()) ?? [];
        failures[words] = (failures[words] ?? 0) + 1;
        await sleep(REST);
      }
      if (!isOver) begin(place);
    });
  }

  const working = (member: Member) => member as Working;
  return {
    failures,
    at(place) {
      const order = [...members.slice(place), ...members.slice(0, place)];
      const awake = order.find(({ frozen }) => !frozen);
      if (!awake) throw new Error('everybody is frozen');
      return awake;
    },
    async kill(member) {
      const { child } = working(member);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    freeze(member) {
      working(member).frozen = true;
      working(member).child.kill('SIGSTOP');
    },
    thaw(member) {
      working(member).frozen = false;
      working(member).child.kill('SIGCONT');
    },
    async stop() {
      isOver = true;
      const begun = performance.now();
      return Promise.all(
        members.map(async ({ child }) => {
          if (child.exitCode !== null) return { end: child.exitCode, ms: 0 };
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          const [code, signal] = await ended;
          return { end: code ?? signal, ms: Math.round(performance.now() - begun) };
        }),
      );
    },
  };
}
