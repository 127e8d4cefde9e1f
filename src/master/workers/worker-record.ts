/** The reports of a worker, and its connections as far as the master knows. worker-news.ts acts on them. */
import type { BlockReport, RequestUnderWay, WorkerStats, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { Departures } from '../outcomes/operations.ts';
import type { ProcessNews, WorkerEnd } from './process.ts';

/** The worker's own reason for its end; it has a code only when the worker could not boot. */
export interface Failure {
  readonly code?: Extract<WorkerToMaster, { type: 'failed' }>['code'] | undefined;
  readonly message: string;
  readonly stack?: string | undefined;
}

/**
 * A connection that a worker has not received for this long counts as lost: a process without a free descriptor loses
 * the message.
 */
const lostAfterMs = 5_000;

export class WorkerRecord {
  readonly #now: () => number;
  #stats: WorkerStats | undefined;
  #statsAtMs: number | undefined;
  #failure: Failure | undefined;
  #saidHello = false;
  #bootStep: string | undefined;
  /** when it was retired: its connections as counted here, and as it said at the end, with how many it closed */
  #connectionsBefore: number | undefined;
  #lastWords: { readonly connections: number; readonly closed: number } | undefined;
  #moved = 0;
  #cutRequests: number | undefined;
  /** when connections were sent to it that were not in its last count */
  #onTheWay: number[] = [];
  /** how many were sent before them, which it has received or lost */
  #arrived = 0;
  #underWay: readonly RequestUnderWay[] = [];
  /** whether it has reported its requests, or logs them itself */
  #isAccounted = false;
  #hasAnswered = false;
  /** it has closed its channel but still runs */
  #isLost = false;

  /** `now` is a monotonic clock; the process's own by default */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get stats(): WorkerStats | undefined {
    return this.#stats;
  }
  /** milliseconds since its last report */
  get sinceStatsMs(): number | undefined {
    return this.#statsAtMs === undefined ? undefined : this.#now() - this.#statsAtMs;
  }
  get failure(): Failure | undefined {
    return this.#failure;
  }
  get saidHello(): boolean {
    return this.#saidHello;
  }
  /** the last step of its boot that it reported */
  get bootStep(): string | undefined {
    return this.#bootStep;
  }
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }
  /** as far as the master knows */
  get connections(): number {
    return (this.#stats?.connections ?? 0) + this.#onTheWay.length;
  }
  /**
   * The end of its connections. A worker that died without a last report has cut the requests of its previous report,
   * and closed all connections that did not move. Connections that arrived after it was retired are not counted.
   */
  get departures(): Departures {
    const moved = this.#moved;
    const cut = this.#cutRequests ?? this.#stats?.activeRequests ?? 0;
    const before = this.#lastWords?.connections ?? this.#connectionsBefore ?? this.#stats?.connections ?? 0;
    const others = Math.max(0, before - moved - cut);
    const closed = Math.min(others, this.#lastWords?.closed ?? others);
    return { moved, drained: others - closed, closed, cut };
  }

  /** It was told to drain. */
  noteRetired(): void {
    this.#connectionsBefore ??= this.connections;
  }

  /** The requests of its last report that it has not logged itself. */
  get unaccounted(): readonly RequestUnderWay[] {
    return this.#isAccounted ? [] : this.#underWay;
  }

  noteConnection(): void {
    this.#onTheWay.push(this.#now());
  }

  /** The channel keeps the order, so the connections that were sent first have arrived. */
  #noteReceived(received: number, nowMs: number): void {
    const before = this.#onTheWay.length;
    const late = this.#onTheWay.slice(Math.max(0, received - this.#arrived));
    this.#onTheWay = late.filter((sentAtMs) => sentAtMs > nowMs - lostAfterMs);
    this.#arrived += before - this.#onTheWay.length;
  }

  /** Another worker has adopted so many of its connections. */
  noteMoved(count: number): void {
    this.#moved += count;
  }

  noteHello(): void {
    this.#saidHello = true;
  }
  noteBootStep(step: string): void {
    this.#bootStep = step;
  }
  noteAnswered(): void {
    this.#hasAnswered = true;
  }
  noteFailure({ code, message, stack }: Failure): void {
    this.#failure = { code, message, stack };
  }

  noteCrash({ message, stack, requests }: Extract<ProcessNews, { type: 'crashed' }>): void {
    this.#failure = { message, stack };
    this.#cutRequests = requests?.length;
    this.#isAccounted = true;
  }

  noteStuck({ stack, requestCount }: BlockReport): void {
    this.#failure = { message: 'its event loop was stuck', stack };
    // A worker whose requests could not be read has accounted for none of them.
    if (requestCount !== undefined) this.#isAccounted = true;
  }

  noteFault({ message, stack }: Failure): void {
    this.#failure ??= { message, stack };
  }

  noteStats(stats: WorkerStats): void {
    const nowMs = this.#now();
    this.#stats = stats;
    this.#statsAtMs = nowMs;
    this.#noteReceived(stats.received, nowMs);
  }

  noteUnderWay(requests: readonly RequestUnderWay[]): void {
    this.#underWay = requests;
  }

  /** Its grace time is over, with these requests unfinished. */
  noteOverdue({ connections, closed, requests }: Extract<ProcessNews, { type: 'overdue' }>): void {
    this.#lastWords = { connections, closed };
    this.#cutRequests = requests.length;
    this.#isAccounted = true;
  }

  noteDrained({ connections, closed }: Extract<ProcessNews, { type: 'drained' }>): void {
    this.#lastWords = { connections, closed };
    this.#cutRequests = 0;
    this.#isAccounted = true;
  }

  /** It has closed its channel but still runs: it logs its requests itself, and its last report is outdated. */
  noteLost(): void {
    this.#isLost = true;
    this.#isAccounted = true;
  }

  noteExit({ code, forkError }: WorkerEnd): void {
    // A worker that exits normally after its channel was lost has finished all of its requests.
    if (this.#isLost && code === 0) this.#cutRequests ??= 0;
    if (forkError !== undefined) this.#failure = { message: `fork failed: ${forkError}` };
  }
}
