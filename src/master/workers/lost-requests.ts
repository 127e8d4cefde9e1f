/**
 * The requests of a worker that died without a word: what it told last (src/worker/process/roll-call.ts) is logged as cut, and their access lines,
 * which it has made itself, are given to another worker, whose access log takes them. The master writes to no access log.
 *
 * What died of a fault of its own (out of memory, abort, a fault in native code) counts for quarantine. SIGKILL does not: it comes from
 * outside, from a person or from a system without memory, which looks for who is large and not for who is guilty.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { RequestUnderWay } from '../../shared/protocol/messages.ts';
import type { Generation } from '../generations/generation.ts';
import { workerInfo } from './lines.ts';
import type { WorkerEnd } from './process.ts';
import type { WorkerHandle } from './worker.ts';

/** By which a process ends that cannot go on. */
const faults: ReadonlySet<NodeJS.Signals | null> = new Set<NodeJS.Signals>([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);
/** lines that wait for a worker */
const mostWaiting = 1_000;

export interface LostRequestsParts {
  readonly logger: Logger;
  /** counts a crash for the quarantine of routes */
  readonly noteCrash: (generation: Generation, requests: readonly RequestUnderWay[]) => void;
  /** those that can be given something now */
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

  /** To one of the same generation, if there is one: its log is the same. */
  give(generation: number): void {
    if (this.#waiting.length === 0) return;
    const open = this.#parts.open();
    const heir = open.find((worker) => worker.generation.number === generation) ?? open[0];
    if (heir === undefined) return;
    const lines = this.#waiting;
    this.#waiting = [];
    heir.send({ type: 'account', lines }, undefined, (error) => {
      if (error !== null) this.#waiting.unshift(...lines);
    });
  }

  /** Nobody comes any more who could take them. */
  end(): void {
    const droppedLines = this.#waiting.length;
    if (droppedLines > 0) this.#parts.logger.error('access-log.lost', { droppedLines });
  }
}
