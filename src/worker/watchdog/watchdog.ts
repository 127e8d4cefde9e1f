/**
 * The watched side: starts the watchdog's thread and lends it a pulse and the list of requests under way.
 *
 * The thread costs memory (docs/supervision.md has the figures) and nothing else: no request passes by here, and the list is
 * made when somebody asks for it.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../shared/log/log.ts';
import type { RequestSummary, WatchdogPlan } from '../../shared/protocol/messages.ts';
import { watchTickMs } from '../../shared/quiet.ts';
import { requestsName } from './blocked-main.ts';
import type { Question } from './blocked-main.ts';
import { startPulse } from './pulse.ts';
import type { Pulse } from './pulse.ts';
import type { WatchdogData } from './thread.ts';

/** requests that a report names: a report is a line of a log */
const mostRequests = 100;
/** Small: it keeps a few strings. What a debugger tells of a large application goes through it in pieces. */
const limits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

export interface Watched {
  requestsUnderWay(): RequestSummary[];
  /** The process is about to be killed: what can be written of its requests is to be written now. */
  lastWords(): void;
}

/** Whether a debugger listens or is attached. */
async function debuggerCheck(): Promise<() => boolean> {
  try {
    const { url } = await import('node:inspector');
    return () => url() !== undefined;
  } catch {
    return () => false; // a Node without inspector
  }
}

/** Called in the main thread while it is paused in the middle of anything: it looks, and changes as little as can be. */
function answerFor(watched: Watched, pulse: Pulse): (question: Question) => string {
  return ({ isLast, beats }) => {
    // The access lines first: they may give a request its id, which the report then has, too.
    if (isLast && beats === pulse.count) watched.lastWords();
    const requests = watched.requestsUnderWay();
    return JSON.stringify({ requests: requests.slice(0, mostRequests), requestCount: requests.length });
  };
}

/** Watches from now on, until the process ends. Without a thread to be had it says so, and the worker serves on. */
export async function startWatchdog({ fd, stuckMs }: WatchdogPlan, watched: Watched, log: Logger): Promise<void> {
  const unwatched = (error: Error): void => log.warn('worker.unwatched', { error: error.message });
  const pulse = startPulse(watchTickMs(stuckMs), await debuggerCheck());
  const data: WatchdogData = { memory: pulse.memory, fd, stuckMs };
  Object.defineProperty(globalThis, Symbol.for(requestsName), {
    value: answerFor(watched, pulse),
    configurable: true,
  });
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  try {
    const thread = new Worker(new URL(`./thread.${extension}`, import.meta.url), {
      name: 'evy watchdog',
      workerData: data,
      // Nothing of the application's: neither its loaders nor what it asks of Node.
      execArgv: [],
      env: {},
      resourceLimits: limits,
      trackUnmanagedFds: false,
    });
    thread.on('error', unwatched);
    thread.once('exit', () => pulse.stop());
    thread.unref();
  } catch (error) {
    pulse.stop();
    unwatched(error as Error);
  }
}
