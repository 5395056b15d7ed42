/** The command that looks at everything around a newsletter: doctor. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Examination, State } from '../../check/examination.ts';
import type { AddCommand, Call } from '../cli.ts';

export function registerDoctor(_program: Command, add: AddCommand): void {
  add(
    'doctor',
    'look at settings, database, relay, DNS (SPF, DKIM, DMARC) and certificate; sends nothing',
    (command) => command,
    doctor,
  );
}

/** Something failed: a mail would not go out, or not be believed. */
const FAILED = 3;

async function doctor(call: Call): Promise<number> {
  const { terminal } = call;
  const found = await examinations(call);
  terminal.result(found, found.map(words).join('\n'));
  terminal.say(summary(found));
  return found.some(({ state }) => state === 'fail') ? FAILED : 0;
}

async function examinations({ world, terminal, dir }: Call): Promise<Examination[]> {
  const { examine, unreadable } = await import('../../newsletter/doctor.ts');
  const bar = terminal.progress();
  try {
    const patient = await world.openFiles(dir);
    return await examine(patient, {}, (done, total) => bar.update(done, total, 'examinations'));
  } catch (error) {
    return unreadable(error);
  } finally {
    bar.end();
  }
}

const COLOURS: Record<State, (text: string) => string> = {
  ok: pc.green,
  warn: pc.yellow,
  fail: pc.red,
};

function words({ state, subject, found, fix }: Examination): string {
  const head = `${COLOURS[state](state.padEnd(4))}  ${pc.bold(subject)}: ${found}`;
  return fix === null ? head : `${head}\n      ${fix}`;
}

function summary(found: readonly Examination[]): string {
  const count = (state: State, one: string, more: string) => {
    const n = found.filter((each) => each.state === state).length;
    return n === 0 ? '' : COLOURS[state](`${n} ${n === 1 ? one : more}`);
  };
  const counts = [
    count('fail', 'failure', 'failures'),
    count('warn', 'warning', 'warnings'),
    count('ok', 'is well', 'are well'),
  ];
  return counts.filter(Boolean).join(', ');
}
