/**
 * Root hooks. After each test what its helpers opened is closed; after the last one of a file (of the run, without
 * mocha's parallel mode) nothing may be left: no process, and nothing that keeps this process alive.
 *
 * A process that outlived its test is ended and noted, and the run fails at its end naming the tests: failing at once
 * would make mocha skip everything that follows.
 */
import { setImmediate } from 'node:timers/promises';
import type { Context } from 'mocha';
import { enterTest, isInTest, leaveRun, leaveTest } from './cleanup.ts';
import { isLoadProcess } from './load-process.ts';
import {
  isMochaWorker,
  killSuite,
  processesWith,
  runId,
  runVariable,
  sendSignal,
  suiteId,
  suiteVariable,
  type FoundProcess,
} from './processes.ts';
import { reapAll } from './run-evy.ts';
import { waitFor } from './wait-for.ts';

/** A process that was told to end, or lost its parent, may take this long. */
const endWithinMs = 10_000;
let leftovers: string[] = [];
/** mocha's report of a root hook names no file */
let file = 'a file without tests';

/** What serves all tests of a process and ends with it: load clients that wait, and compilers of the TypeScript loader. */
const isOwnHelper = ({ parent, command }: FoundProcess): boolean =>
  /esbuild.* --service/.test(command) || (parent === process.pid && isLoadProcess(command));

async function endLeftProcesses(variable: string, id: string): Promise<void> {
  const left = async () => (await processesWith(variable, id)).filter((found) => !isOwnHelper(found));
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

/** Listed even when they keep nothing alive: wrappers of descriptors that are somebody else's to close, unused so far. */
const idleKinds = new Set(['TCPServerWrap', 'TCPSocketWrap', 'PipeWrap']);

/** What keeps this process alive, by kind: timers, processes, threads and the like. */
function handles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!idleKinds.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
let handlesBefore = handles();

async function findLeftHandles(): Promise<void> {
  const more = () => Array.from(handles()).filter(([kind, count]) => count > (handlesBefore.get(kind) ?? 0));
  await waitFor('no handle left', () => more().length === 0, { withinMs: endWithinMs }).catch(() => {
    for (const [kind, count] of more()) leftovers.push(`handles were left open: ${count} of ${kind}`);
  });
}

/**
 * An interrupted run takes everything along, whatever process started it: mocha kills its workers, whose servers are
 * process groups of their own. While a test handles the signal, it is that test's own.
 */
function endOn(signal: NodeJS.Signals): void {
  process.on(signal, () => {
    if (isInTest() && process.listenerCount(signal) > 1) return;
    console.error(`the tests were ended by ${signal}`);
    process.exit(1);
  });
}
if (!isMochaWorker) process.on('exit', killSuite);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) endOn(signal);

export const mochaHooks = {
  async beforeAll() {
    leftovers = [];
    await setImmediate(); // by then mocha's own timer for an asynchronous hook runs, as it does afterwards
    handlesBefore = handles();
  },
  beforeEach() {
    enterTest();
  },
  async afterEach(this: Context) {
    const title = this.currentTest?.fullTitle() ?? 'unknown test';
    file = this.currentTest?.file ?? file;
    for (const process of await reapAll()) leftovers.push(`'${title}' left ${process}`);
    await leaveTest();
  },
  async afterAll(this: Context) {
    this.timeout(4 * endWithinMs);
    for (const process of await reapAll()) leftovers.push(`the run left ${process}`);
    await leaveRun();
    await endLeftProcesses(runVariable, runId);
    await findLeftHandles();
    if (leftovers.length > 0) throw new Error(`${file} left something running:\n${leftovers.join('\n')}`);
  },
};

/** In mocha's first process, after all files. */
export async function mochaGlobalTeardown(): Promise<void> {
  leftovers = [];
  await endLeftProcesses(suiteVariable, suiteId);
  if (leftovers.length > 0) throw new Error(`the run left something running:\n${leftovers.join('\n')}`);
}
