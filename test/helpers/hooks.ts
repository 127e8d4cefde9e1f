/**
 * Root hooks: after each test, what its helpers opened is closed; after the last one, nothing of the run may be left.
 *
 * A process that outlived its test is ended and noted, and the run fails at its end naming the tests: failing at once
 * would make mocha skip everything that follows. Mocha ends by itself, without --exit: if something keeps this process
 * alive, the watchdog says what, and fails.
 */
import type { Context } from 'mocha';
import { enterTest, leaveRun, leaveTest } from './cleanup.ts';
import { processesWith, runId, runVariable, sendSignal, type FoundProcess } from './processes.ts';
import { reapAll } from './run-evy.ts';
import { waitFor } from './wait-for.ts';

/** A process that was told to end, or lost its parent, may take this long. */
const endWithinMs = 3_000;
const watchdogMs = 10_000;
const leftovers: string[] = [];

/** The TypeScript loader of this very process keeps a compiler running, which ends with us. */
const isOwnCompiler = ({ parent, command }: FoundProcess): boolean =>
  parent === process.pid && command.includes('esbuild') && command.includes('--service');

async function endLeftProcesses(): Promise<void> {
  const left = async () => (await processesWith(runVariable, runId)).filter((found) => !isOwnCompiler(found));
  await waitFor('no process left', async () => (await left()).length === 0, {
    withinMs: endWithinMs,
    everyMs: 50,
  }).catch(async () => {
    for (const { pid, command } of await left()) {
      leftovers.push(`process ${pid} was left running: ${command}`);
      sendSignal(pid, 'SIGKILL');
    }
  });
}

function watchForHandles(): void {
  setTimeout(() => {
    console.error(`something keeps the tests from ending: ${process.getActiveResourcesInfo().join(', ')}`);
    // Mocha sets the exit code from the failed tests when the process exits; this comes after it.
    process.on('exit', () => {
      process.exitCode = 1;
    });
    process.exit();
  }, watchdogMs).unref();
}

/**
 * An interrupted run takes its servers along: run-evy.ts kills them on 'exit', which no signal causes by itself. While a
 * test handles the signal, it is that test's own.
 */
function endOn(signal: NodeJS.Signals): void {
  process.on(signal, () => {
    if (process.listenerCount(signal) > 1) return;
    console.error(`the tests were ended by ${signal}`);
    process.exit(1);
  });
}
endOn('SIGTERM');
endOn('SIGHUP');

export const mochaHooks = {
  beforeEach() {
    enterTest();
  },
  async afterEach(this: Context) {
    const title = this.currentTest?.fullTitle() ?? 'unknown test';
    for (const process of await reapAll()) leftovers.push(`'${title}' left ${process}`);
    await leaveTest();
  },
  async afterAll() {
    for (const process of await reapAll()) leftovers.push(`the run left ${process}`);
    await leaveRun();
    await endLeftProcesses();
    watchForHandles();
    if (leftovers.length > 0) throw new Error(`tests left something running:\n${leftovers.join('\n')}`);
  },
};
