/**
 * The master's view of one worker: its state, its deadline and its end.
 *
 * What its process does (messages, deadlines, exit) is only reported here; the master's loop hands each report back
 * through `take()`, one at a time. So a state changes nowhere but inside the loop.
 */
import type { Socket } from 'node:net';
import type { MasterToWorker, WorkerStats, WorkerToMaster } from '../shared/messages.ts';
import type { PassedHandle } from '../shared/node-private.ts';
import { firstInheritedFd } from './fork-worker.ts';
import type { Generation } from './generation.ts';
import type { Listener } from './listeners.ts';
import { WorkerProcess } from './worker-process.ts';
import type { OnMoving, ProcessNews } from './worker-process.ts';
import { isLive, nextWorkerState } from './worker-states.ts';
import type { WorkerInput, WorkerState } from './worker-states.ts';

export interface WorkerPlan {
  readonly id: number;
  readonly generation: Generation;
  readonly listeners: readonly Listener[];
  readonly entry: string;
  /** workers before it in its place that died right after their start */
  readonly streak: number;
}

/** `of` is the state that the deadline was set for: a late one means nothing. */
export type WorkerNews = ProcessNews | { type: 'deadline'; of: WorkerState };
export type Drain = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** What the worker said of why it ends; a code only when it could not boot. */
export interface Failure {
  readonly code?: Extract<WorkerToMaster, { type: 'failed' }>['code'];
  readonly message: string;
  readonly stack?: string | undefined;
}

/** Why the master ended a worker; the first reason counts. */
export type EndReason = 'retired' | 'boot-timeout' | 'stuck' | 'stopped';

/** After its grace the worker has this long to name the requests that are cut. */
const lastWordsMs = 1_000;
const longestTimerMs = 2 ** 31 - 1;

export class WorkerHandle {
  readonly id: number;
  readonly generation: Generation;
  readonly streak: number;
  readonly spawnedAtMs = Date.now();
  #state: WorkerState = 'spawned';
  #stateSinceMs = this.spawnedAtMs;
  #readyAtMs: number | undefined;
  #stats: WorkerStats | undefined;
  #failure: Failure | undefined;
  #endReason: EndReason | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #deadlineAtMs = Infinity;
  #lastDrain: Drain | undefined;
  /** connections that went there since it counted last */
  #newConnections = 0;
  readonly #listeners: readonly Listener[];
  readonly #process: WorkerProcess;
  readonly #report: (news: WorkerNews) => void;

  constructor(plan: WorkerPlan, report: (news: WorkerNews) => void, onMoving: OnMoving) {
    this.id = plan.id;
    this.generation = plan.generation;
    this.streak = plan.streak;
    this.#listeners = plan.listeners;
    this.#report = report;
    const fds = plan.listeners.flatMap(({ fd }) => (fd === undefined ? [] : [fd]));
    const { stuckTimeoutMs: stuckMs } = plan.generation.options;
    this.#process = new WorkerProcess({ entry: plan.entry, fds, stuckMs }, report, onMoving);
    this.#expect(plan.generation.options.bootTimeoutMs);
  }

  get state(): WorkerState {
    return this.#state;
  }
  get stateSinceMs(): number {
    return this.#stateSinceMs;
  }
  get pid(): number | undefined {
    return this.#process.pid;
  }
  /** whether it can be sent anything */
  get connected(): boolean {
    return this.#process.connected;
  }
  get stats(): WorkerStats | undefined {
    return this.#stats;
  }
  /** as far as it is known here */
  get connections(): number {
    return (this.#stats?.connections ?? 0) + this.#newConnections;
  }
  noteConnection(): void {
    this.#newConnections += 1;
  }
  get failure(): Failure | undefined {
    return this.#failure;
  }
  get endReason(): EndReason | undefined {
    return this.#endReason;
  }
  /** undefined when it never was ready */
  get readyForMs(): number | undefined {
    return this.#readyAtMs === undefined ? undefined : performance.now() - this.#readyAtMs;
  }

  /** Takes in what was reported. Called by the master's loop only. */
  take(news: WorkerNews): void {
    switch (news.type) {
      case 'hello':
        this.#move('hello');
        if (this.#state === 'booting') this.#configure();
        break;
      case 'ready':
        this.#move('ready');
        if (this.#state !== 'ready') break;
        this.#readyAtMs = performance.now();
        clearTimeout(this.#deadline);
        break;
      case 'failed':
        this.#failure = { code: news.code, message: news.message, stack: news.stack };
        break;
      case 'crashed':
        this.#failure = { message: news.message, stack: news.stack };
        break;
      case 'stats':
        this.#stats = news.stats;
        this.#newConnections = 0;
        break;
      case 'deadline':
        if (news.of === this.#state) this.kill(isLive(this.#state) ? 'boot-timeout' : 'retired');
        break;
      case 'overdue':
        if (this.#state === 'draining') this.kill('retired');
        break;
      case 'exit':
        if (news.forkError !== undefined) this.#failure = { message: `fork failed: ${news.forkError}` };
        this.#move('exit');
        clearTimeout(this.#deadline);
        break;
      case 'stuck':
        this.#failure = { message: 'its event loop was stuck', stack: news.report.stack };
        // Whatever has been heard of it on the channel so far: its `ready` may still be on the way.
        if (this.#state !== 'killed' && this.#state !== 'gone') this.kill('stuck');
        break;
      case 'leaving':
      case 'lost':
      case 'drained':
      case 'watched':
      case 'busy':
      case 'recovered':
      case 'silent':
      case 'heard':
        break;
      default:
        news satisfies never;
    }
  }

  /** Asks it to finish what it has and end; kills it when that takes too long. */
  retire(drain: Drain): void {
    this.#endReason ??= 'retired';
    this.#move('retire');
    if (this.#state === 'killed') {
      this.#end();
      return;
    }
    this.#sendDrain(drain);
    this.#expect(drain.graceMs + lastWordsMs);
  }

  /** Tells one that drains that there is a ready worker, which its connections can move to; its time stays as it is. */
  letMove(): void {
    if (this.#state !== 'draining' || this.#lastDrain?.idle === 'close') return;
    const graceMs = Math.max(0, Math.round(this.#deadlineAtMs - performance.now() - lastWordsMs));
    this.#sendDrain({ graceMs, idle: 'move' });
  }

  /** Asks one that drains already to be quicker, or to close idle connections now. Never gives it more time. */
  hasten(drain: Drain): void {
    if (this.#state !== 'draining') return;
    this.#sendDrain(drain);
    const leftMs = this.#deadlineAtMs - performance.now();
    this.#expect(Math.max(0, Math.min(leftMs, drain.graceMs + lastWordsMs)));
  }

  kill(reason: EndReason): void {
    this.#endReason ??= reason;
    this.#move('deadline');
    this.#end();
  }

  send(message: MasterToWorker, socket?: Socket | PassedHandle, done?: (error: Error | null) => void): void {
    this.#process.send(message, socket, done);
  }

  #sendDrain(drain: Drain): void {
    this.#lastDrain = drain;
    this.send({ type: 'drain', ...drain });
  }

  #configure(): void {
    const { number, release, settings, options } = this.generation;
    const binds = this.#listeners.map(({ address, backlog, fd }, index) => ({
      name: address.name,
      kind: address.kind,
      tls: address.tls,
      backlog,
      ...(fd === undefined ? {} : { fd: firstInheritedFd + index }),
    }));
    const { graceMs, stuckTimeoutMs: stuckMs } = options;
    const fd = firstInheritedFd + binds.filter((bind) => 'fd' in bind).length;
    const watchdog = stuckMs > 0 ? { fd, stuckMs } : undefined;
    this.send({ type: 'configure', generation: number, release, settings, binds, graceMs, watchdog });
  }

  #move(input: WorkerInput): void {
    const next = nextWorkerState(this.#state, input);
    if (next !== this.#state) this.#stateSinceMs = Date.now();
    this.#state = next;
  }

  #end(): void {
    clearTimeout(this.#deadline);
    this.#process.kill();
  }

  /** Sets the deadline of the current state. That of a boot runs on over hello: it is one wait from fork to ready. */
  #expect(ms: number): void {
    clearTimeout(this.#deadline);
    this.#deadlineAtMs = performance.now() + ms;
    const report = () => this.#report({ type: 'deadline', of: this.#state });
    this.#deadline = setTimeout(report, Math.min(ms, longestTimerMs));
  }
}
