/**
 * The master's view of one worker process: its state, its deadline, its channel and its end.
 *
 * What the process does (messages, deadlines, exit) is only reported here; the master's loop hands each report back
 * through `take()`, one at a time. So a state changes nowhere but inside the loop.
 */
import type { Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import { isWorkerToMaster } from '../shared/messages.ts';
import type { MasterToWorker, WorkerStats, WorkerToMaster } from '../shared/messages.ts';
import { firstInheritedFd, forkWorker } from './fork-worker.ts';
import type { Generation } from './generation.ts';
import type { Listener } from './listeners.ts';
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

export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type WorkerNews =
  | WorkerToMaster
  /** `of` is the state that the deadline was set for: a late one means nothing */
  | { type: 'deadline'; of: WorkerState }
  /** the channel is closed but the process lives on */
  | { type: 'lost' }
  | ({ type: 'exit' } & WorkerEnd);

export type Failure = Pick<Extract<WorkerToMaster, { type: 'failed' }>, 'message' | 'stack'> & {
  code?: Extract<WorkerToMaster, { type: 'failed' }>['code'];
};

/** Why the master ended a worker; the first reason counts. */
export type EndReason = 'retired' | 'boot-timeout' | 'stopped';

export type Drain = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** After its grace the worker has this long to name the requests that are cut. */
const lastWordsMs = 1_000;
/** A channel closes a moment before its process ends; longer than this and the process has closed it itself. */
const lostAfterMs = 1_000;

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
  readonly #plan: WorkerPlan;
  readonly #worker: Worker | undefined;
  readonly #report: (news: WorkerNews) => void;

  constructor(plan: WorkerPlan, report: (news: WorkerNews) => void) {
    this.#plan = plan;
    this.id = plan.id;
    this.generation = plan.generation;
    this.streak = plan.streak;
    this.#report = report;
    this.#worker = this.#fork();
    this.#expect(plan.generation.options.bootTimeoutMs);
  }

  get state(): WorkerState {
    return this.#state;
  }
  get stateSinceMs(): number {
    return this.#stateSinceMs;
  }
  get pid(): number | undefined {
    return this.#worker?.process.pid;
  }
  /** whether it can be sent anything */
  get connected(): boolean {
    return this.#worker?.process.connected === true;
  }
  get stats(): WorkerStats | undefined {
    return this.#stats;
  }
  /** what the worker said of why it ends, or what fork said */
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
        this.#clearDeadline();
        break;
      case 'failed':
        this.#failure = { code: news.code, message: news.message, stack: news.stack };
        break;
      case 'crashed':
        this.#failure = { message: news.message, stack: news.stack };
        break;
      case 'stats':
        this.#stats = news.stats;
        break;
      case 'deadline':
        if (news.of === this.#state) this.kill(isLive(this.#state) ? 'boot-timeout' : 'retired');
        break;
      case 'overdue':
        if (this.#state === 'draining') this.kill('retired');
        break;
      case 'exit':
        this.#move('exit');
        this.#clearDeadline();
        break;
      case 'leaving':
      case 'lost':
      case 'drained':
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
      this.#signalKill();
      return;
    }
    this.send({ type: 'drain', ...drain });
    this.#expect(drain.graceMs + lastWordsMs);
  }

  kill(reason: EndReason): void {
    this.#endReason ??= reason;
    this.#move('deadline');
    this.#signalKill();
  }

  /** Sends, or reports by the callback that it could not. Messages to a worker that is about to end may be lost. */
  send(message: MasterToWorker, socket?: Socket, done: (error: Error | null) => void = () => {}): void {
    if (!this.connected) {
      queueMicrotask(() => done(new Error('the channel is closed')));
      return;
    }
    this.#worker!.process.send(message, socket, {}, done);
  }

  #configure(): void {
    const { number, release, settings, options } = this.generation;
    const binds = this.#plan.listeners.map((listener, index) => ({
      name: listener.address.name,
      kind: listener.address.kind,
      tls: listener.address.tls,
      backlog: listener.backlog,
      ...(listener.fd === undefined ? {} : { fd: firstInheritedFd + index }),
    }));
    this.send({ type: 'configure', generation: number, release, settings, binds, graceMs: options.graceMs });
  }

  #fork(): Worker | undefined {
    const fds = this.#plan.listeners.flatMap(({ fd }) => (fd === undefined ? [] : [fd]));
    let worker: Worker;
    try {
      worker = forkWorker({ entry: this.#plan.entry, fds });
    } catch (error) {
      this.#failure = { message: `fork failed: ${(error as Error).message}` };
      queueMicrotask(() => this.#report({ type: 'exit', code: null, signal: null }));
      return undefined;
    }
    const child = worker.process;
    // An application may send messages of its own: only ours are taken.
    child.on('message', (message: unknown) => {
      if (isWorkerToMaster(message)) this.#report(message);
    });
    // Failed sends come here too: the worker is about to end then, and that is reported by itself.
    worker.on('error', (error: Error) => {
      if (child.pid === undefined) this.#failure = { message: `fork failed: ${error.message}` };
    });
    let lost: NodeJS.Timeout | undefined;
    child.once('disconnect', () => {
      lost = setTimeout(() => this.#report({ type: 'lost' }), lostAfterMs);
    });
    // 'close' rather than 'exit': only then has everything that the worker sent been read.
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(lost);
      const spawned = child.pid !== undefined;
      this.#report({ type: 'exit', code: spawned ? code : null, signal });
    });
    return worker;
  }

  #move(input: WorkerInput): void {
    const next = nextWorkerState(this.#state, input);
    if (next !== this.#state) this.#stateSinceMs = Date.now();
    this.#state = next;
  }

  /** SIGKILL by the child's own handle: its pid cannot have been given to another process yet. */
  #signalKill(): void {
    this.#clearDeadline();
    this.#worker?.process.kill('SIGKILL');
  }

  /** Sets the deadline of the current state. */
  #expect(ms: number): void {
    this.#clearDeadline();
    // The boot deadline runs on over hello: it is one wait from fork to ready.
    const report = () => this.#report({ type: 'deadline', of: this.#state });
    this.#deadline = setTimeout(report, Math.min(ms, 2 ** 31 - 1));
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
  }
}
