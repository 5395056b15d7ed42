/** Ends a test run with its sum, and names what was skipped and how to get it. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    for (const reason of skipReasons(tests)) console.log(`skipped: ${reason}`);
    const broken = modules.filter((module) => module.errors().length > 0).length;
    console.log(
      `${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`,
    );
  }
}

function skipReasons(tests: TestCase[]): Set<string> {
  return new Set(
    tests.flatMap((test) => {
      const result = test.result();
      if (result.state !== 'skipped') return [];
      return result.note ?? /needs .*$/.exec(test.fullName)?.[0] ?? test.fullName;
    }),
  );
}
