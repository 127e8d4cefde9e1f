/**
 * The existing workers: the crew starts and retires them, and knows which places must wait before they are filled again
 * (backoff.ts). Which workers start and leave is decided elsewhere.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { MasterToWorker } from '../../shared/protocol/messages.ts';
import type { Generation } from '../generations/generation.ts';
import { IgnoredOptions } from '../generations/ignored-options.ts';
import { Moves } from '../migration/moves.ts';
import { targetsOf } from '../migration/targets.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Opening } from './accepting.ts';
import { RestartBackoff, waitAfterDeath } from './backoff.ts';
import { WorkerLines } from './lines.ts';
import { newlyOverdue } from './recycling.ts';
import type { Served } from './served-interface.ts';
import { isLive } from './worker-states.ts';
import type { SeenWorker } from './worker-states.ts';
import { WorkerHandle } from './worker.ts';
import type { Drain, WorkerNews } from './worker.ts';

export interface CrewParts {
  readonly listeners: readonly Listener[];
  readonly workerEntry: string;
  readonly logger: Logger;
  readonly emit: Emit;
  /** puts a worker's news into the queue */
  readonly report: (worker: WorkerHandle, news: WorkerNews) => void;
  /** whether connections can move between workers */
  readonly moving: boolean;
  readonly opening: Opening;
  /** a monotonic clock; the process's own by default */
  readonly nowMs?: () => number;
}

export class Crew {
  readonly #parts: CrewParts;
  readonly #workers = new Map<number, WorkerHandle>();
  readonly #restartBackoff = new RestartBackoff();
  /** moves connections between workers, and to another master */
  readonly moves: Moves;
  readonly #ignoredOptions: IgnoredOptions;
  #served: Served | undefined;
  readonly lines: WorkerLines;
  /** generations that stay */
  #wanted: ReadonlySet<number> = new Set();
  #lastId = 0;
  readonly #now: () => number;
  /** when due places were last determined: a place that becomes due a moment later must not be missed */
  #lookedAtMs = 0;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#now = parts.nowMs ?? (() => performance.now());
    this.#ignoredOptions = new IgnoredOptions(parts.logger);
    this.lines = new WorkerLines(parts.logger, parts.emit);
    this.moves = new Moves({ possible: parts.moving, logger: parts.logger }, this);
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
  /** workers that can receive connections; one that has crashed and is about to exit is not among them */
  get open(): readonly WorkerHandle[] {
    return this.ready.filter(({ connected, record }) => connected && record.failure === undefined);
  }
  /** the workers among them that connections are moved to */
  get targets(): readonly WorkerHandle[] {
    return targetsOf(this.open, this.#wanted);
  }

  /** Marks the workers that are overdue for recycling. */
  markOverdue(): void {
    const found = newlyOverdue(this.ready.map(({ age }) => age));
    for (const [id, reason] of found) this.find(id).overdue = reason;
  }

  /**
   * Places of a generation that must not be filled now: because of the back-off, or since their worker is still being
   * killed.
   */
  held(generation: number | null): number {
    const dying = this.workers.filter(
      (worker) =>
        worker.state === 'killed' && worker.endReason === 'boot-timeout' && worker.generation.number === generation,
    );
    return dying.length + this.#restartBackoff.held(generation, this.#lookedAtMs);
  }

  /** Milliseconds until a place may be filled again; undefined when none waits. */
  get nextWakeMs(): number | undefined {
    const next = this.#restartBackoff.nextDueMs(this.#lookedAtMs);
    return Number.isFinite(next) ? Math.max(0, next - this.#now()) : undefined;
  }

  /**
   * Sets which generations stay, as of now: `held` and `spawn` use this moment. The places of other generations are
   * dropped.
   */
  want(generations: ReadonlySet<number>): void {
    this.#lookedAtMs = this.#now();
    this.#wanted = generations;
    this.#restartBackoff.keepOnly(generations);
    if (this.ready.length > 0) return;
    const isBooting = (number: number) =>
      this.workers.some(({ state, generation }) => generation.number === number && isLive(state));
    for (const number of generations) if (!isBooting(number)) this.#restartBackoff.hastenFirst(number);
  }

  spawn(generation: Generation): void {
    const streak = this.#restartBackoff.fillPlace(generation.number, this.#lookedAtMs);
    const { listeners, workerEntry, opening } = this.#parts;
    this.#lastId += 1;
    const worker: WorkerHandle = new WorkerHandle(
      { id: this.#lastId, generation, listeners, entry: workerEntry, streak, opening },
      (news) => this.#parts.report(worker, news),
      (message, handle) => this.moves.onMessage(worker, message, handle),
    );
    this.#workers.set(worker.id, worker);
    this.lines.spawned(worker);
  }

  /** @throws {Error} when there is no such worker */
  find(id: number): WorkerHandle {
    const found = this.#workers.get(id);
    if (!found) throw new Error(`there is no worker ${id}`);
    return found;
  }

  rest(worker: WorkerHandle): void {
    worker.rest();
    this.lines.standby(worker);
  }

  resume(worker: WorkerHandle): void {
    worker.resume();
    this.lines.resumed(worker);
    this.moves.workerReady();
  }

  retire(worker: WorkerHandle, drain: Drain, reason?: string): void {
    worker.retire(drain);
    this.lines.retiring(worker, reason);
  }

  /** how the application is served, as reported by the worker that became ready last */
  get served(): Served | undefined {
    return this.#served;
  }

  broadcast(message: MasterToWorker): void {
    for (const worker of this.workers) worker.send(message);
  }
  broadcastTo(generation: number, message: MasterToWorker): void {
    for (const worker of this.workers) if (worker.generation.number === generation) worker.send(message);
  }

  workerReady(worker: WorkerHandle, served: Served): void {
    this.#served = served;
    this.#ignoredOptions.workerReady(worker.generation, served.interface);
    this.moves.workerReady();
  }

  gone(worker: WorkerHandle): void {
    this.#workers.delete(worker.id);
    this.moves.gone(worker);
  }

  /**
   * Counts an unexpected death. Returns how many workers in this place died quickly in a row: 0 when it had been up.
   * With `hold` the place stays empty until `openHeldPlaces()`.
   */
  noteDeath(worker: WorkerHandle, { hold }: { hold: boolean }): number {
    const { streak, waitMs, soonMs } = waitAfterDeath(
      { readyForMs: worker.readyForMs, hasAnswered: worker.record.hasAnswered },
      worker.streak,
      Math.random(),
    );
    if (streak === 0) return 0;
    const nowMs = this.#now();
    const dueAtMs = hold ? Infinity : nowMs + waitMs;
    const generation = worker.generation.number;
    this.#restartBackoff.add(generation, {
      streak,
      dueAtMs,
      soonAtMs: soonMs === undefined ? undefined : nowMs + soonMs,
    });
    if (!hold && waitMs > 0) this.lines.delayed(generation, waitMs, streak);
    return streak;
  }

  /** Makes the held places due. */
  openHeldPlaces(generation: number): void {
    this.#restartBackoff.openHeld(generation, this.#now());
  }

  /** Gives up so many places. */
  dropPlaces(generation: number, places: number): void {
    this.#restartBackoff.dropPlaces(generation, places);
  }
}
