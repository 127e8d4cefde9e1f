/**
 * Logs the requests of a worker that died without reporting them. The requests of its last report
 * (src/worker/process/roll-call.ts) are logged as cut, and their access lines, which the worker has formatted itself,
 * are sent to another worker for its access log. The master never writes to the access log.
 *
 * A death by the worker's own fault (out of memory, abort, a fault in native code) counts for quarantine. SIGKILL does
 * not: a person sent it, or the kernel when memory ran out, which chooses a large process and not the guilty one.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { RequestUnderWay } from '../../shared/protocol/messages.ts';
import type { Generation } from '../generations/generation.ts';
import { workerInfo } from './lines.ts';
import type { WorkerEnd } from './process.ts';
import type { WorkerHandle } from './worker.ts';

/** Signals that end a process because of its own fault. */
const faults: ReadonlySet<NodeJS.Signals | null> = new Set<NodeJS.Signals>([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);
/** lines that may wait for a worker */
const mostWaiting = 1_000;

export interface LostRequestsParts {
  readonly logger: Logger;
  /** counts a crash for the quarantine of routes */
  readonly noteCrash: (generation: Generation, requests: readonly RequestUnderWay[]) => void;
  /** workers that can receive messages */
  readonly open: () => ReadonlyArray<Pick<WorkerHandle, 'generation' | 'send'>>;
}

export class LostRequests {
  readonly #parts: LostRequestsParts;
  #waiting: string[] = [];

  constructor(parts: LostRequestsParts) {
    this.#parts = parts;
  }

  gone(worker: WorkerHandle, { signal }: WorkerEnd): void {
    const { logger, noteCrash } = this.#parts;
    const { record, endReason, generation } = worker;
    const { unaccounted } = record;
    for (const { line, ...request } of unaccounted) {
      logger.warn('request.cut', { ...workerInfo(worker), ...request });
      if (line !== undefined && this.#waiting.length < mostWaiting) this.#waiting.push(line);
    }
    if (endReason === 'stuck' || (endReason === undefined && faults.has(signal))) noteCrash(generation, unaccounted);
    this.give(generation.number);
  }

  /** Gives the lines to a worker of the same generation, if there is one, since that has the same log. */
  give(generation: number): void {
    if (this.#waiting.length === 0) return;
    const open = this.#parts.open();
    const recipient = open.find((worker) => worker.generation.number === generation) ?? open[0];
    if (recipient === undefined) return;
    const lines = this.#waiting;
    this.#waiting = [];
    recipient.send({ type: 'account', lines }, undefined, (error) => {
      if (error !== null) this.#waiting.unshift(...lines);
    });
  }

  /** No worker will come to write the lines. */
  end(): void {
    const droppedLines = this.#waiting.length;
    if (droppedLines > 0) this.#parts.logger.error('access-log.lost', { droppedLines });
  }
}
