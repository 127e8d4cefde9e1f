/**
 * The master's view of one worker: its state, its deadline and its end.
 *
 * Messages, the exit and the deadline are only reported here. The master's loop handles each report, one at a time
 * (loop/worker-news.ts), so the state changes only inside that loop.
 */
import type { Socket } from 'node:net';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker, WorkerStats } from '../../shared/protocol/messages.ts';
import type { Generation } from '../generations/generation.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Opening } from './accepting.ts';
import { Deadline } from './deadline.ts';
import { WorkerProcess } from './process.ts';
import type { OnMoving, ProcessNews } from './process.ts';
import type { AgingWorker, RecyclingReason } from './recycling.ts';
import { configurationOf } from './worker-configuration.ts';
import { WorkerRecord } from './worker-record.ts';
import { nextWorkerState } from './worker-states.ts';
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

/** `of` is the state that the deadline was set for; in any other state it is ignored. */
export type WorkerNews = ProcessNews | { type: 'deadline'; of: WorkerState };
export type Drain = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** Why the master ended a worker; the first reason counts. */
export type EndReason = 'retired' | 'boot-timeout' | 'stuck' | 'faulty' | 'stopped';

/** After its grace time a worker has this long to close idle connections and to report the requests that are cut. */
const lastWordsMs = 1_500;

/** A worker that has reported nothing for this long is too busy to report. */
export const silentAfterMs = 3_000;

/** How busy a worker is taken to be that reported this value so long ago. A sleeping worker reports less often. */
export function utilisationNow(
  reported: Pick<WorkerStats, 'utilisation' | 'asleep'> | undefined,
  sinceReportMs: number,
): number | undefined {
  return sinceReportMs >= silentAfterMs && reported?.asleep !== true ? 1 : reported?.utilisation;
}

export class WorkerHandle {
  readonly id: number;
  readonly generation: Generation;
  readonly streak: number;
  readonly #spawnedAtMs = performance.now();
  /** why it is to be replaced although nothing is wrong with it */
  overdue: RecyclingReason | undefined;
  readonly #chance = Math.random();
  /** its reports */
  readonly record = new WorkerRecord();
  #state: WorkerState = 'spawned';
  #stateSinceMs = Date.now();
  #readyAtMs: number | undefined;
  #endReason: EndReason | undefined;
  /** the deadline of the current state; the boot deadline runs from the fork until ready */
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
      // Deferred until the channels were read: if this process was stopped, messages that arrived in time may be
      // waiting.
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
  /** whether messages can be sent to it */
  get connected(): boolean {
    return this.#process.connected;
  }
  /** The share of its time that it is busy, 0 to 1; undefined for a worker that is too young. */
  get utilisation(): number | undefined {
    return utilisationNow(this.record.stats, this.record.sinceStatsMs ?? this.readyForMs ?? 0);
  }
  get connections(): number {
    return this.record.connections;
  }
  noteConnection(): void {
    this.record.noteConnection();
  }
  noteMoved(count: number): void {
    this.record.noteMoved(count);
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

  /** the facts that decide whether it is overdue */
  get age(): AgingWorker {
    const { requests: all = 0, healthChecks = 0, rssBytes = 0 } = this.record.stats ?? {};
    const { id, overdue, readyForMs = 0 } = this;
    const requests = all - healthChecks;
    return { id, limits: this.generation.options, overdue, requests, readyForMs, rssBytes, chance: this.#chance };
  }

  /** Its process has said hello: it can be configured now, and loads the application. */
  boot(): void {
    this.#move('hello');
    if (this.#state !== 'booting') return;
    this.#holdsBack = !this.#opening.isOpen;
    this.send(configurationOf(this.generation, this.#listeners, { standby: this.#holdsBack }));
  }

  /** Its process has reported that it is ready, possibly after it was told to leave. */
  becomeReady(): void {
    this.#move('ready');
    if (this.#state !== 'ready') return;
    this.#readyAtMs = performance.now();
    this.#deadline.clear();
    // Meanwhile it may have been put on standby for another reason, or told to leave.
    if (this.#holdsBack) this.#opening.whenOpen(() => this.#state === 'ready' && this.send({ type: 'resume' }));
  }

  exited(): void {
    this.#move('exit');
  }

  /** Puts it on standby: it stops accepting. */
  rest(): void {
    this.#move('rest');
    this.send({ type: 'stand-by' });
  }

  /** Ends its standby: it accepts again. */
  resume(): void {
    this.#move('resume');
    this.send({ type: 'resume' });
  }

  /** Tells it to finish its requests and exit; kills it when that takes too long. */
  retire(drain: Drain): void {
    this.#endReason ??= 'retired';
    this.record.noteRetired();
    this.#move('retire');
    if (this.#state === 'killed') {
      this.#process.kill();
      return;
    }
    this.#sendDrain(drain);
    this.#deadline.set(drain.graceMs + lastWordsMs);
  }

  /** Tells a draining worker that its connections can move now, since another worker is ready. Its deadline stays. */
  letMove(): void {
    if (this.#state !== 'draining' || this.#lastDrain?.idle === 'close') return;
    const graceMs = Math.max(0, Math.round(this.#deadline.leftMs - lastWordsMs));
    this.#sendDrain({ graceMs, idle: 'move' });
  }

  /** Tells a draining worker to be quicker, or to close idle connections now. It never gets more time. */
  hasten(drain: Drain): void {
    if (this.#state !== 'draining') return;
    this.#sendDrain(drain);
    this.#deadline.set(Math.max(0, Math.min(this.#deadline.leftMs, drain.graceMs + lastWordsMs)));
  }

  /** Does nothing to a worker that has been killed already, or has exited. */
  kill(reason: EndReason): void {
    if (this.#state === 'killed' || this.#state === 'gone') return;
    this.#endReason ??= reason;
    this.#move('deadline');
    this.#process.kill();
  }

  send(message: MasterToWorker, socket?: Socket | PassedHandle, done?: (error: Error | null) => void): void {
    this.#process.send(message, socket, done);
  }

  #sendDrain(drain: Drain): void {
    this.#lastDrain = drain;
    // A worker without a channel gets a signal instead; it may not have noticed the loss yet.
    if (this.connected) this.send({ type: 'drain', ...drain });
    else this.#process.terminate();
  }

  #move(input: WorkerInput): void {
    const next = nextWorkerState(this.#state, input);
    if (next !== this.#state) this.#stateSinceMs = Date.now();
    this.#state = next;
    if (next === 'killed' || next === 'gone') this.#deadline.clear();
  }
}
