/**
 * The workers there are: starts and retires them, keeps what the dead owe (backoff.ts), and writes the log lines
 * and events of each worker's life. Who comes and who goes is decided elsewhere.
 */
import type { Logger } from '../shared/log.ts';
import type { MasterToWorker, RequestSummary } from '../shared/messages.ts';
import { addDebt, delayMs, heldPlaces, isQuickDeath, nextDueMs, payDebt } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import type { Emit, WorkerInfo } from './events.ts';
import type { Generation } from './generation.ts';
import { IgnoredOptions } from './ignored-options.ts';
import type { Listener } from './listeners.ts';
import { Moves } from './migration/moves.ts';
import { havensOf } from './migration/targets.ts';
import type { Opening } from './opening.ts';
import type { SeenWorker } from './reconcile.ts';
import { newlyOverdue } from './recycling.ts';
import { WorkerHandle } from './worker-handle.ts';
import type { Drain, WorkerNews } from './worker-handle.ts';
import type { WorkerEnd } from './worker-process.ts';
import { logWatchNews } from './watchdog/watch-log.ts';
import { isLive } from './worker-states.ts';

export interface CrewParts {
  readonly listeners: readonly Listener[];
  readonly workerEntry: string;
  readonly logger: Logger;
  readonly emit: Emit;
  /** puts a worker's news into the queue */
  readonly report: (worker: WorkerHandle, news: WorkerNews) => void;
  /** whether connections can move from worker to worker */
  readonly moving: boolean;
  readonly opening: Opening;
  /** a clock that is never set; the process's own by default */
  readonly nowMs?: () => number;
}

export function workerInfo(worker: WorkerHandle): WorkerInfo {
  return { worker: worker.id, pid: worker.pid, generation: worker.generation.number };
}

export class Crew {
  readonly #parts: CrewParts;
  readonly #workers = new Map<number, WorkerHandle>();
  /** by generation: a new generation starts without debts */
  readonly #backoffs = new Map<number, Backoff>();
  readonly #moves: Moves;
  readonly #ignoredOptions: IgnoredOptions;
  /** generations that stay */
  #wanted: ReadonlySet<number> = new Set();
  #lastId = 0;
  readonly #now: () => number;
  /** when it was last looked which debts are due: what becomes due a moment later must not be missed */
  #lookedAtMs = 0;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#now = parts.nowMs ?? (() => performance.now());
    this.#ignoredOptions = new IgnoredOptions(parts.logger);
    this.#moves = new Moves({ possible: parts.moving, logger: parts.logger }, this);
  }

  get workers(): readonly WorkerHandle[] {
    return [...this.#workers.values()];
  }
  get seen(): SeenWorker[] {
    return this.workers.map(({ id, generation, state, overdue }) => ({
      id,
      generation: generation.number,
      state,
      overdue: overdue !== undefined,
    }));
  }
  get ready(): readonly WorkerHandle[] {
    return this.workers.filter(({ state }) => state === 'ready');
  }
  /** those that connections can be given to; not one that has crashed and is about to end */
  get open(): readonly WorkerHandle[] {
    return this.ready.filter(({ connected, failure }) => connected && failure === undefined);
  }
  /** those of them that connections are moved to */
  get havens(): readonly WorkerHandle[] {
    return havensOf(this.open, this.#wanted);
  }

  /** how connections get from worker to worker, and to another master */
  get moves(): Moves {
    return this.#moves;
  }

  /** Looks who has served for long enough. */
  markOverdue(): void {
    const found = newlyOverdue(this.ready.map(({ age }) => age));
    for (const [id, reason] of found) this.find(id).overdue = reason;
  }

  /** Places of a generation that are not to be filled now: by debt, or since their worker is still being killed. */
  held(generation: number | null): number {
    const dying = this.workers.filter(
      (worker) =>
        worker.state === 'killed' && worker.endReason === 'boot-timeout' && worker.generation.number === generation,
    );
    return dying.length + heldPlaces(this.#backoffOf(generation), this.#lookedAtMs);
  }

  /** Milliseconds until a place may be filled again; undefined when none waits. */
  get nextWakeMs(): number | undefined {
    const dues = [...this.#backoffs.values()].map((backoff) => nextDueMs(backoff, this.#lookedAtMs) ?? Infinity);
    const next = Math.min(...dues);
    return Number.isFinite(next) ? Math.max(0, next - this.#now()) : undefined;
  }

  /** Which generations stay, as of now: `held` and `spawn` go by this moment. What the others owe is forgotten. */
  want(generations: ReadonlySet<number>): void {
    this.#lookedAtMs = this.#now();
    this.#wanted = generations;
    for (const generation of this.#backoffs.keys()) if (!generations.has(generation)) this.#backoffs.delete(generation);
  }

  spawn(generation: Generation): void {
    const { backoff, streak } = payDebt(this.#backoffOf(generation.number), this.#lookedAtMs);
    this.#backoffs.set(generation.number, backoff);
    const { listeners, workerEntry, opening, logger, emit } = this.#parts;
    this.#lastId += 1;
    const worker: WorkerHandle = new WorkerHandle(
      { id: this.#lastId, generation, listeners, entry: workerEntry, streak, opening },
      (news) => this.#parts.report(worker, news),
      (message, handle) => this.#moves.take(worker, message, handle),
    );
    this.#workers.set(worker.id, worker);
    logger.debug('worker.spawned', { ...workerInfo(worker) });
    emit('worker:spawned', workerInfo(worker));
  }

  /** @throws {Error} when there is no such worker */
  find(id: number): WorkerHandle {
    const found = this.#workers.get(id);
    if (!found) throw new Error(`there is no worker ${id}`);
    return found;
  }

  rest(worker: WorkerHandle): void {
    worker.rest();
    this.#parts.logger.info('worker.standby', { ...workerInfo(worker) });
    this.#parts.emit('worker:standby', workerInfo(worker));
  }

  resume(worker: WorkerHandle): void {
    worker.resume();
    this.#parts.logger.info('worker.resumed', { ...workerInfo(worker) });
    this.#parts.emit('worker:resumed', workerInfo(worker));
    this.#moves.workerReady();
  }

  /** What a worker that retires is to do with its idle connections. */
  idleOf(worker: WorkerHandle): Drain['idle'] {
    return this.#moves.idleOf(worker);
  }

  /** The last worker is gone. */
  close(): void {
    this.#moves.close();
  }

  retire(worker: WorkerHandle, drain: Drain, reason?: string): void {
    worker.retire(drain);
    const { logger, emit } = this.#parts;
    logger.info('worker.retiring', { ...workerInfo(worker), reason });
    emit('worker:retiring', workerInfo(worker));
  }

  broadcast(message: MasterToWorker): void {
    for (const worker of this.workers) worker.send(message);
  }
  broadcastTo(generation: number, message: MasterToWorker): void {
    for (const worker of this.workers) if (worker.generation.number === generation) worker.send(message);
  }

  /** Takes in what a worker reports, and writes it down; unless `quiet`, that it failed. */
  take(worker: WorkerHandle, news: WorkerNews, { quiet }: { quiet: boolean }): void {
    const before = worker.state;
    worker.take(news);
    const { logger, emit } = this.#parts;
    switch (news.type) {
      case 'ready':
        if (worker.state !== 'ready') break;
        logger.info('worker.ready', { ...workerInfo(worker), bootMs: worker.bootMs });
        this.#ignoredOptions.workerReady(worker.generation, news.interface);
        emit('worker:ready', workerInfo(worker));
        this.#moves.workerReady();
        break;
      case 'failed':
        if (!quiet) logger.error('worker.failed', { ...workerInfo(worker), ...worker.failure });
        break;
      case 'crashed':
        // One that was ready has a log of its own and writes it there.
        if (!quiet && worker.readyForMs === undefined)
          logger.error('worker.crashed', { ...workerInfo(worker), ...worker.failure });
        this.#logCut(worker, news.requests ?? []);
        break;
      case 'overdue':
        this.#logCut(worker, news.requests);
        if (before !== worker.state) this.#logKilled(worker, 'its grace time is over');
        break;
      case 'deadline':
        if (before !== worker.state)
          this.#logKilled(worker, isLive(before) ? 'it was not ready within bootTimeout' : 'its grace time is over');
        break;
      case 'watched':
      case 'busy':
      case 'recovered':
      case 'silent':
      case 'heard':
      case 'stuck':
        logWatchNews(logger, workerInfo(worker), news);
        if (before !== worker.state) this.#logKilled(worker, 'its event loop was stuck for longer than stuckTimeout');
        break;
      case 'lost':
        this.#moves.gone(worker);
        break;
      case 'exit':
        this.#remove(worker, news, quiet && worker.readyForMs === undefined);
        break;
      default: // no line of its own
    }
  }

  /**
   * Notes a death that nobody asked for. Returns how many in a row died quickly in this place: 0 when it had been up.
   * While `hold` is set the place stays open until `release()`.
   */
  noteDeath(worker: WorkerHandle, { hold }: { hold: boolean }): number {
    if (!isQuickDeath(worker.readyForMs)) return 0;
    const streak = worker.streak + 1;
    const waitMs = delayMs(streak, Math.random());
    const dueAtMs = hold ? Infinity : this.#now() + waitMs;
    const generation = worker.generation.number;
    this.#backoffs.set(generation, addDebt(this.#backoffOf(generation), { streak, dueAtMs }));
    if (!hold && waitMs > 0) this.#parts.logger.warn('worker.delayed', { generation, delayMs: waitMs, inARow: streak });
    return streak;
  }

  /** Opens the places that were held. */
  release(generation: number): void {
    const nowMs = this.#now();
    const released = this.#backoffOf(generation).map((debt) =>
      debt.dueAtMs === Infinity ? { ...debt, dueAtMs: nowMs } : debt,
    );
    this.#backoffs.set(generation, released);
  }

  #backoffOf(generation: number | null): Backoff {
    return (generation === null ? undefined : this.#backoffs.get(generation)) ?? [];
  }

  #logCut(worker: WorkerHandle, requests: readonly RequestSummary[]): void {
    for (const request of requests) this.#parts.logger.warn('request.cut', { ...workerInfo(worker), ...request });
  }

  #logKilled(worker: WorkerHandle, message: string): void {
    this.#parts.logger.warn('worker.killed', { ...workerInfo(worker), message });
  }

  #remove(worker: WorkerHandle, { code, signal }: WorkerEnd, quiet: boolean): void {
    this.#workers.delete(worker.id);
    this.#moves.gone(worker);
    const { logger, emit } = this.#parts;
    const error = worker.failure?.message;
    const asked = worker.endReason === 'retired' || worker.endReason === 'stopped';
    // Of one that was killed from outside nobody knows which requests it had, but how many.
    const requests = worker.endReason === undefined && error === undefined ? worker.stats?.activeRequests : undefined;
    const end = { code: code ?? undefined, signal: signal ?? undefined, error, requests: requests || undefined };
    const fields = { ...workerInfo(worker), ...end };
    if (quiet) logger.debug('worker.exit', fields);
    else if (asked && signal === null) logger.info('worker.exit', fields);
    else logger.warn('worker.exit', fields);
    emit('worker:exit', { ...workerInfo(worker), code, signal, ...(error === undefined ? {} : { error }) });
  }
}
