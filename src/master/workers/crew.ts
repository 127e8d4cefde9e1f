/**
 * The workers that there are: the crew starts and retires them, and knows which places wait before they are filled again
 * (backoff.ts). Who comes and who goes is decided elsewhere.
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
  /** whether connections can move from worker to worker */
  readonly moving: boolean;
  readonly opening: Opening;
  /** a clock that is never set; the process's own by default */
  readonly nowMs?: () => number;
}

export class Crew {
  readonly #parts: CrewParts;
  readonly #workers = new Map<number, WorkerHandle>();
  readonly #restartBackoff = new RestartBackoff();
  /** how connections get from worker to worker, and to another master */
  readonly moves: Moves;
  readonly #ignoredOptions: IgnoredOptions;
  #served: Served | undefined;
  readonly lines: WorkerLines;
  /** generations that stay */
  #wanted: ReadonlySet<number> = new Set();
  #lastId = 0;
  readonly #now: () => number;
  /** when it was last looked which places are due: one that becomes due a moment later must not be missed */
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
  /** those that connections can be given to; a worker that has crashed and is about to end is not one of them */
  get open(): readonly WorkerHandle[] {
    return this.ready.filter(({ connected, record }) => connected && record.failure === undefined);
  }
  /** those of them that connections are moved to */
  get targets(): readonly WorkerHandle[] {
    return targetsOf(this.open, this.#wanted);
  }

  /** Marks the workers that are to be recycled. */
  markOverdue(): void {
    const found = newlyOverdue(this.ready.map(({ age }) => age));
    for (const [id, reason] of found) this.find(id).overdue = reason;
  }

  /** Places of a generation that are not to be filled now: because of the back-off, or since their worker is still being killed. */
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

  /** Which generations stay, as of now: `held` and `spawn` go by this moment. The waits of the others are forgotten. */
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

  /** how the application is served, as the worker that became ready last has said */
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
   * Counts a death that nobody asked for. Returns how many workers in a row died quickly in this place: 0 when it had been up.
   * While `hold` is set the place stays open until `openHeldPlaces()`.
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

  /** The places that were held may be filled. */
  openHeldPlaces(generation: number): void {
    this.#restartBackoff.openHeld(generation, this.#now());
  }

  /** So many places are not to be filled any more. */
  dropPlaces(generation: number, places: number): void {
    this.#restartBackoff.dropPlaces(generation, places);
  }
}
