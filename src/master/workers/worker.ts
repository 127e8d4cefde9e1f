/**
 * The master's view of one worker: its state, its deadline and its end.
 *
 * What its process does (messages, deadlines, exit) is only reported here; the master's loop hands each report back
 * through `take()`, one at a time. So a state changes nowhere but inside the loop.
 */
import type { Socket } from 'node:net';
import type { MasterToWorker, WorkerStats } from '../../shared/protocol/messages.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import { Deadline } from './deadline.ts';
import type { Generation } from '../generations/generation.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Opening } from './accepting.ts';
import type { Departures } from '../outcomes/operations.ts';
import type { AgingWorker, RecyclingReason } from './recycling.ts';
import { configurationOf } from './worker-configuration.ts';
import { WorkerProcess } from './worker-process.ts';
import type { OnMoving, ProcessNews } from './worker-process.ts';
import { WorkerRecord } from './worker-record.ts';
import type { Failure } from './worker-record.ts';
import { nextWorkerState, stays } from './worker-states.ts';
import type { WorkerInput, WorkerState } from './worker-states.ts';

export interface WorkerPlan {
  readonly id: number;
  readonly generation: Generation;
  readonly listeners: readonly Listener[];
  readonly entry: string;
  /** workers before it in its place that died right after their start */
  readonly streak: number;
  readonly opening: Opening;
}

/** `of` is the state that the deadline was set for: a late one means nothing. */
export type WorkerNews = ProcessNews | { type: 'deadline'; of: WorkerState };
export type Drain = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** Why the master ended a worker; the first reason counts. */
export type EndReason = 'retired' | 'boot-timeout' | 'stuck' | 'faulty' | 'stopped';

/** After its grace the worker has this long to let idle clients see that it closes, and to name the requests that are cut. */
const lastWordsMs = 1_500;

/** A worker that has reported nothing for this long is too busy to report. */
export const silentAfterMs = 3_000;

/** How busy a worker is taken to be that reported this, so long ago. */
export function utilisationNow(reported: number | undefined, sinceReportMs: number): number | undefined {
  return sinceReportMs >= silentAfterMs ? 1 : reported;
}

export class WorkerHandle {
  readonly id: number;
  readonly generation: Generation;
  readonly streak: number;
  readonly #spawnedAtMs = performance.now();
  /** why it is to be replaced although nothing is wrong with it */
  overdue: RecyclingReason | undefined;
  readonly #chance = Math.random();
  readonly #record = new WorkerRecord();
  #state: WorkerState = 'spawned';
  #stateSinceMs = Date.now();
  #readyAtMs: number | undefined;
  #endReason: EndReason | undefined;
  /** of the current state; that of a boot runs on over hello: it is one wait from fork to ready */
  readonly #deadline: Deadline;
  #lastDrain: Drain | undefined;
  readonly #opening: Opening;
  #holdsBack = false;
  readonly #listeners: readonly Listener[];
  readonly #process: WorkerProcess;

  constructor(plan: WorkerPlan, report: (news: WorkerNews) => void, onMoving: OnMoving) {
    this.id = plan.id;
    this.generation = plan.generation;
    this.streak = plan.streak;
    this.#opening = plan.opening;
    this.#listeners = plan.listeners;
    const fds = plan.listeners.flatMap(({ fd }) => (fd === undefined ? [] : [fd]));
    const { directory, variables, options } = plan.generation;
    const { stuckTimeoutMs: stuckMs } = options;
    this.#process = new WorkerProcess({ entry: plan.entry, fds, directory, variables, stuckMs }, report, onMoving);
    this.#deadline = new Deadline(() => {
      const of = this.#state;
      // After a look at the channels: this process may have been stopped, and what they bring has been there in time.
      setImmediate(() => report({ type: 'deadline', of }));
    });
    this.#deadline.set(options.bootTimeoutMs);
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
    return this.#record.stats;
  }
  /** How much of its time it is busy, 0 to 1; undefined of one that is too young to tell. */
  get utilisation(): number | undefined {
    return utilisationNow(this.stats?.utilisation, this.#record.sinceStatsMs ?? this.readyForMs ?? 0);
  }
  get connections(): number {
    return this.#record.connections;
  }
  noteConnection(): void {
    this.#record.noteConnection();
  }
  noteMoved(count: number): void {
    this.#record.noteMoved(count);
  }
  get failure(): Failure | undefined {
    return this.#record.failure;
  }
  get saidHello(): boolean {
    return this.#record.saidHello;
  }
  get bootStep(): string | undefined {
    return this.#record.bootStep;
  }
  get departures(): Departures {
    return this.#record.departures;
  }
  /** requests that only the master can account for, when it is gone */
  get unaccounted(): WorkerRecord['unaccounted'] {
    return this.#record.unaccounted;
  }
  /** it has answered a request */
  get hasAnswered(): boolean {
    return this.#record.hasAnswered;
  }
  get endReason(): EndReason | undefined {
    return this.#endReason;
  }
  /** undefined when it never was ready */
  get readyForMs(): number | undefined {
    return this.#readyAtMs === undefined ? undefined : performance.now() - this.#readyAtMs;
  }
  /** from the fork until it was ready */
  get bootMs(): number | undefined {
    return this.#readyAtMs === undefined ? undefined : Math.round(this.#readyAtMs - this.#spawnedAtMs);
  }

  /** what decides whether it is overdue */
  get age(): AgingWorker {
    const { requests: all = 0, healthChecks = 0, rssBytes = 0 } = this.#record.stats ?? {};
    const { id, overdue, readyForMs = 0 } = this;
    const requests = all - healthChecks;
    return { id, limits: this.generation.options, overdue, requests, readyForMs, rssBytes, chance: this.#chance };
  }

  /** Takes in what was reported. Called by the master's loop only. */
  take(news: WorkerNews): void {
    if (news.type === 'deadline') {
      if (news.of === this.#state) this.kill(stays(this.#state) ? 'boot-timeout' : 'retired');
      return;
    }
    this.#record.note(news);
    switch (news.type) {
      case 'hello':
        this.#move('hello');
        if (this.#state === 'booting') this.#configure();
        break;
      case 'ready':
        this.#move('ready');
        if (this.#state !== 'ready') break;
        this.#readyAtMs = performance.now();
        this.#deadline.clear();
        // One that stands by for another reason then, or leaves, has its own orders.
        if (this.#holdsBack) this.#opening.whenOpen(() => this.#state === 'ready' && this.send({ type: 'resume' }));
        break;
      case 'overdue':
        if (this.#state === 'draining') this.kill('retired');
        break;
      case 'exit':
        this.#move('exit');
        break;
      case 'stuck':
        // Whatever has been heard of it on the channel so far: its `ready` may still be on the way.
        if (this.#state !== 'killed' && this.#state !== 'gone') this.kill('stuck');
        break;
      case 'fault':
        if (this.#state !== 'killed' && this.#state !== 'gone') this.kill('faulty');
        break;
      default: // it changes nothing here
    }
  }

  /** Asks it to accept nothing for now. */
  rest(): void {
    this.#move('rest');
    this.send({ type: 'stand-by' });
  }

  /** Asks one on standby to accept again. */
  resume(): void {
    this.#move('resume');
    this.send({ type: 'resume' });
  }

  /** Asks it to finish what it has and end; kills it when that takes too long. */
  retire(drain: Drain): void {
    this.#endReason ??= 'retired';
    this.#record.noteRetired();
    this.#move('retire');
    if (this.#state === 'killed') {
      this.#process.kill();
      return;
    }
    this.#sendDrain(drain);
    this.#deadline.set(drain.graceMs + lastWordsMs);
  }

  /** Tells one that drains that there is a ready worker, which its connections can move to; its time stays as it is. */
  letMove(): void {
    if (this.#state !== 'draining' || this.#lastDrain?.idle === 'close') return;
    const graceMs = Math.max(0, Math.round(this.#deadline.leftMs - lastWordsMs));
    this.#sendDrain({ graceMs, idle: 'move' });
  }

  /** Asks one that drains already to be quicker, or to close idle connections now. Never gives it more time. */
  hasten(drain: Drain): void {
    if (this.#state !== 'draining') return;
    this.#sendDrain(drain);
    this.#deadline.set(Math.max(0, Math.min(this.#deadline.leftMs, drain.graceMs + lastWordsMs)));
  }

  kill(reason: EndReason): void {
    this.#endReason ??= reason;
    this.#move('deadline');
    this.#process.kill();
  }

  send(message: MasterToWorker, socket?: Socket | PassedHandle, done?: (error: Error | null) => void): void {
    this.#process.send(message, socket, done);
  }

  #sendDrain(drain: Drain): void {
    this.#lastDrain = drain;
    // One that has closed its channel cannot be told; it may not have noticed yet.
    if (this.connected) this.send({ type: 'drain', ...drain });
    else this.#process.terminate();
  }

  #configure(): void {
    this.#holdsBack = !this.#opening.isOpen;
    this.send(configurationOf(this.generation, this.#listeners, { standby: this.#holdsBack }));
  }

  #move(input: WorkerInput): void {
    const next = nextWorkerState(this.#state, input);
    if (next !== this.#state) this.#stateSinceMs = Date.now();
    this.#state = next;
    if (next === 'killed' || next === 'gone') this.#deadline.clear();
  }
}
