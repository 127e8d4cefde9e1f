/**
 * How this master takes over from the previous one, from its start until it owns the sockets: when the previous master
 * hands over, or has exited. Until then the previous master still serves the inherited sockets, so this one touches no
 * socket file and accepts nothing, and an upgrade that fails loses nothing. Without a previous master this process owns
 * everything from the start.
 */
import { isDeepStrictEqual } from 'node:util';
import { EvyError, toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { WorkerRange } from '../../shared/options/worker-range.ts';
import type { Moves } from '../migration/moves.ts';
import { writePidfile } from '../pidfile.ts';
import { InheritedSockets } from '../sockets/inherited-state.ts';
import type { Listener } from '../sockets/listeners.ts';
import { Opening } from '../workers/accepting.ts';
import { findPreviousMaster } from './previous-master.ts';
import type { PreviousMaster } from './previous-master.ts';

/** A master whose workers have been started. */
export interface StartedMaster {
  readonly moves: Moves;
  /** resolves when as many workers serve as are wanted */
  readonly whole: Promise<void>;
  readonly listeners: readonly Listener[];
  /** whether connections can move here */
  readonly moving: boolean;
  readonly pidfile: string;
  readonly push: (command: { type: 'reload' } | { type: 'stop' }) => void;
  readonly logger: Logger;
}

export class Takeover {
  readonly inheritedSockets: InheritedSockets;
  readonly #previousMaster: PreviousMaster | undefined;
  readonly #opening: Opening;
  #isComplete: boolean;

  constructor(previousMaster: PreviousMaster | undefined) {
    this.#previousMaster = previousMaster;
    this.#isComplete = previousMaster === undefined;
    this.#opening = new Opening(this.#isComplete);
    this.inheritedSockets = new InheritedSockets(previousMaster?.inherited);
  }

  /** Whether this master owns the sockets and their files. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** How workers start: when they accept, and how many there are if that differs from the configuration. */
  crew(configured: WorkerRange): { opening: Opening; workers: number | undefined } {
    const { crew } = this.#previousMaster?.inherited ?? {};
    const workers = isDeepStrictEqual(crew?.configured, configured) ? crew?.wanted : undefined;
    return { opening: this.#opening, workers };
  }

  /** The pid that LISTEN_FDS is addressed to; after an upgrade, still the first master's. */
  activatedPid(env: Readonly<Record<string, string | undefined>>): number {
    return this.#previousMaster === undefined ? process.pid : Number(env['LISTEN_PID']);
  }

  /** Listens to the previous master, and tells it once all workers that are wanted serve. */
  begin(started: StartedMaster): void {
    const previousMaster = this.#previousMaster;
    if (previousMaster === undefined) return;
    const { moves, whole, push } = started;
    previousMaster.listen({
      onMoving: moves.onMessage,
      onTakeOver: () => this.#complete(),
      onReload: () => push({ type: 'reload' }),
      onGone: () => {
        this.#complete();
        moves.closeTo(previousMaster);
      },
    });
    void whole.then(() => this.#ready(previousMaster, started));
  }

  fail(thrown: unknown): void {
    const error = thrown instanceof EvyError ? thrown : new EvyError('INTERNAL', toError(thrown).message);
    if (!this.#isComplete) this.#previousMaster?.tell({ type: 'failed', code: error.code, message: error.message });
  }

  /** This master stops, or is itself upgraded: the previous master, if it still runs, must not serve again. */
  leave(): void {
    this.#previousMaster?.tell({ type: 'leaving' });
  }

  #complete(): void {
    this.#isComplete = true;
    this.#opening.open();
  }

  #ready(previousMaster: PreviousMaster, { pidfile, listeners, moving, push, logger }: StartedMaster): void {
    try {
      // From here on the pid file names this master. Should the previous one stay, it writes the file again.
      if (pidfile !== '') writePidfile(pidfile, process.pid, previousMaster.inherited.from);
    } catch (thrown) {
      this.fail(thrown);
      const { message } = toError(thrown);
      logger.error('master.failed', { code: 'BAD_OPTION', message });
      // When the previous master has exited, no other process would serve.
      if (!this.#isComplete) push({ type: 'stop' });
      return;
    }
    const keys = listeners.filter(({ isInherited }) => isInherited).map(({ key }) => key);
    previousMaster.tell({ type: 'ready', keys, moving });
  }
}

/**
 * The takeover of this process, which finds out whether there is a previous master.
 * @throws {EvyError} UPGRADE_FAILED when what this process inherited cannot be used
 */
export function takeoverFrom(env: NodeJS.ProcessEnv): Takeover {
  return new Takeover(findPreviousMaster(env));
}
