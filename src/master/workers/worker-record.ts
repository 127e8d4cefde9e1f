/** What a worker has told of itself, and what is known of its connections: kept, not acted upon. */
import type { BlockReport, RequestUnderWay, WorkerStats, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { Departures } from '../outcomes/operations.ts';
import type { ProcessNews, WorkerEnd } from './process.ts';

/** What the worker said of why it ends; a code only when it could not boot. */
export interface Failure {
  readonly code?: Extract<WorkerToMaster, { type: 'failed' }>['code'] | undefined;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** A connection that a worker has not received for so long never comes: without a descriptor left it loses the message. */
const lostAfterMs = 5_000;

export class WorkerRecord {
  readonly #now: () => number;
  #stats: WorkerStats | undefined;
  #statsAtMs: number | undefined;
  #failure: Failure | undefined;
  #saidHello = false;
  #bootStep: string | undefined;
  /** when it was told to leave: as it was known here, and as it said at the end, with how many it closed */
  #connectionsBefore: number | undefined;
  #lastWords: { readonly connections: number; readonly closed: number } | undefined;
  #moved = 0;
  #cutRequests: number | undefined;
  /** when connections went there that it had not received when it counted last */
  #onTheWay: number[] = [];
  /** those before them, which it has received or lost */
  #arrived = 0;
  #underWay: readonly RequestUnderWay[] = [];
  /** it has told itself what became of its requests, or tells it at last */
  #isAccounted = false;
  #hasAnswered = false;
  /** it has closed its channel and lives on */
  #isLost = false;

  /** `now` is a clock that is never set; the process's own by default */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get stats(): WorkerStats | undefined {
    return this.#stats;
  }
  /** milliseconds since it counted last */
  get sinceStatsMs(): number | undefined {
    return this.#statsAtMs === undefined ? undefined : this.#now() - this.#statsAtMs;
  }
  get failure(): Failure | undefined {
    return this.#failure;
  }
  get saidHello(): boolean {
    return this.#saidHello;
  }
  /** what its boot was at last */
  get bootStep(): string | undefined {
    return this.#bootStep;
  }
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }
  /** as far as it is known here */
  get connections(): number {
    return (this.#stats?.connections ?? 0) + this.#onTheWay.length;
  }
  /**
   * What became of its connections. One that died without last words has cut what it had when it last reported, and
   * closed all that did not move. A connection that came in after it was told to leave is not counted.
   */
  get departures(): Departures {
    const moved = this.#moved;
    const cut = this.#cutRequests ?? this.#stats?.activeRequests ?? 0;
    const before = this.#lastWords?.connections ?? this.#connectionsBefore ?? this.#stats?.connections ?? 0;
    const others = Math.max(0, before - moved - cut);
    const closed = Math.min(others, this.#lastWords?.closed ?? others);
    return { moved, drained: others - closed, closed, cut };
  }

  /** It is told to leave. */
  noteRetired(): void {
    this.#connectionsBefore ??= this.connections;
  }

  /** What it had under way when it told last, and has not accounted for itself. */
  get unaccounted(): readonly RequestUnderWay[] {
    return this.#isAccounted ? [] : this.#underWay;
  }

  noteConnection(): void {
    this.#onTheWay.push(this.#now());
  }

  /** The channel keeps the order, so the first ones have arrived. */
  #noteReceived(received: number, nowMs: number): void {
    const before = this.#onTheWay.length;
    const late = this.#onTheWay.slice(Math.max(0, received - this.#arrived));
    this.#onTheWay = late.filter((sentAtMs) => sentAtMs > nowMs - lostAfterMs);
    this.#arrived += before - this.#onTheWay.length;
  }

  /** Another worker has taken over so many of its connections. */
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

  /** Its grace time is over, with these requests under way. */
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

  /** It has closed its channel and lives on: it logs what becomes of its requests, and what it reported last is old. */
  noteLost(): void {
    this.#isLost = true;
    this.#isAccounted = true;
  }

  noteExit({ code, forkError }: WorkerEnd): void {
    // A worker that ends by itself after it has lost its channel has finished all of its requests.
    if (this.#isLost && code === 0) this.#cutRequests ??= 0;
    if (forkError !== undefined) this.#failure = { message: `fork failed: ${forkError}` };
  }
}
