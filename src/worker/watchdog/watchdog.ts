/**
 * The main thread's side of the watchdog: starts its thread, and gives it a pulse and access to the list of active
 * requests.
 *
 * The thread costs memory (docs/supervision.md has the figures), so it is started when something may block the loop: with
 * the first connection, when the application works by itself, or at once if the worker may be debugged. It costs
 * nothing else: requests do not pass through it, and the list is made on demand.
 */
import { nodeInspector, nodeWorkerThreads } from '../../shared/lazy-node.ts';
import type { Logger } from '../../shared/log/log.ts';
import { entryFile } from '../../shared/own-files.ts';
import type { RequestSummary, WatchdogPlan } from '../../shared/protocol/messages.ts';
import { watchTickMs } from '../../shared/quiet.ts';
import { requestsName } from './blocked-main.ts';
import type { Question } from './blocked-main.ts';
import { startPulse } from './pulse.ts';
import type { Pulse } from './pulse.ts';
import type { WatchdogData } from './thread.ts';

/** The most requests in a report, since a report becomes one log line. */
const mostRequests = 100;
/** Small, since the thread keeps only a few strings: debugger messages about a large application are read in pieces. */
const limits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };
/** How soon after a failed start the next one may follow. */
const retryMs = 1_000;

export interface Watched {
  requestsUnderWay(): RequestSummary[];
  /** The process is about to be killed: logs its active requests now. */
  lastWords(): void;
}

/** Whether a debugger listens or is attached. */
function debuggerCheck(): () => boolean {
  const inspector = nodeInspector();
  return inspector === undefined ? () => false : () => inspector.url() !== undefined;
}

/**
 * Whether this Node was told to listen for a debugger. node:cluster adds a flag for the port, also when NODE_OPTIONS has
 * the option. (`inspector.url()` would load 2 MB into each worker.)
 */
export function isDebuggable(execArgv: readonly string[] = process.execArgv): boolean {
  return execArgv.some((flag) => flag.startsWith('--inspect'));
}

/** Called in the main thread while it is paused anywhere, so it reads only, as far as possible. */
function answerFor(watched: Watched, pulse: Pulse): (question: Question) => string {
  return ({ isLast, beats }) => {
    // The access lines come first: they may generate a request id, which the report then has, too.
    if (isLast && beats === pulse.count) watched.lastWords();
    const requests = watched.requestsUnderWay();
    return JSON.stringify({ requests: requests.slice(0, mostRequests), requestCount: requests.length });
  };
}

/**
 * Watches until the process ends. `onFailure` is called when the thread did not start: it has not used its descriptor
 * then, and can be started again.
 */
function startWatchdog(
  { fd, stuckMs }: WatchdogPlan,
  watched: Watched,
  log: Logger,
  onFailure: (error: Error) => void,
): void {
  const pulse = startPulse(watchTickMs(stuckMs), debuggerCheck());
  const data: WatchdogData = { memory: pulse.memory, fd, stuckMs };
  Object.defineProperty(globalThis, Symbol.for(requestsName), {
    value: answerFor(watched, pulse),
    configurable: true,
  });
  try {
    const thread = new (nodeWorkerThreads().Worker)(entryFile('worker/watchdog/thread'), {
      name: 'evy watchdog',
      workerData: data,
      // The thread gets neither the application's loaders nor its Node flags.
      execArgv: [],
      env: {},
      resourceLimits: limits,
      trackUnmanagedFds: false,
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_INIT_FAILED') onFailure(error);
      else log.warn('worker.unwatched', { error: error.message });
    });
    thread.once('exit', () => pulse.stop());
    thread.unref();
  } catch (error) {
    pulse.stop();
    onFailure(error as Error);
  }
}

/**
 * Returns a function that calls `start` at its first call. When that failed, for example without a free descriptor, a
 * later call tries again, at most once a second.
 */
export function startsOnce(start: (onFailure: () => void) => void): () => void {
  let triedAtMs = -Infinity;
  let isDue = true;
  return () => {
    if (!isDue || performance.now() - triedAtMs < retryMs) return;
    triedAtMs = performance.now();
    isDue = false;
    start(() => {
      isDue = true;
    });
  };
}

/** Returns a function that starts the watchdog at its first call. Without one the worker serves, and logs it once. */
export function watchdogStarter(plan: WatchdogPlan, watched: Watched, log: Logger): () => void {
  let hasFailed = false;
  return startsOnce((onFailure) =>
    startWatchdog(plan, watched, log, (error) => {
      if (!hasFailed) log.warn('worker.unwatched', { error: error.message });
      hasFailed = true;
      onFailure();
    }),
  );
}
