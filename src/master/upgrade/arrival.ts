/**
 * The new master's side of an upgrade, from its start until the place is its own: when the one before hands over, or is gone. Until
 * then the sockets that were left are still served by the one before: their files are not to be touched, and nothing is accepted here. So
 * an upgrade that fails has nothing to lose.
 */
import { isDeepStrictEqual } from 'node:util';
import { EvyError, toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { WorkerRange } from '../../shared/options/worker-range.ts';
import type { Command } from '../loop/commands.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Moves } from '../migration/moves.ts';
import { Opening } from '../workers/accepting.ts';
import { writePidfile } from '../pidfile.ts';
import { Estate } from '../sockets/inherited-sockets.ts';
import { findPredecessor } from './previous-master.ts';
import type { Predecessor } from './previous-master.ts';

/** A master that has begun to serve. */
export interface Arrived {
  readonly moves: Moves;
  /** resolves when as many workers serve as are wanted */
  readonly whole: Promise<void>;
  readonly listeners: readonly Listener[];
  /** whether connections can move here */
  readonly moving: boolean;
  readonly pidfile: string;
  readonly push: (command: Command) => void;
  readonly logger: Logger;
}

export class Arrival {
  readonly estate: Estate;
  readonly #predecessor: Predecessor | undefined;
  readonly #opening: Opening;
  #isOurs: boolean;

  constructor(predecessor: Predecessor | undefined) {
    this.#predecessor = predecessor;
    this.#isOurs = predecessor === undefined;
    this.#opening = new Opening(this.#isOurs);
    this.estate = new Estate(predecessor?.legacy);
  }

  /** Whether this master owes nothing to another one. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** How workers begin: when they accept, and how many there are if that is another number than the configuration says. */
  crew(configured: WorkerRange): { opening: Opening; workers: number | undefined } {
    const { crew } = this.#predecessor?.legacy ?? {};
    const workers = isDeepStrictEqual(crew?.configured, configured) ? crew?.wanted : undefined;
    return { opening: this.#opening, workers };
  }

  /** For whom LISTEN_FDS is: what a service manager has opened for the first of us is for each that comes after it. */
  activated(env: Readonly<Record<string, string | undefined>>): number {
    return this.#predecessor === undefined ? process.pid : Number(env['LISTEN_PID']);
  }

  /** Tells the one before, once everybody serves who is wanted. */
  announce(arrived: Arrived): void {
    const predecessor = this.#predecessor;
    if (predecessor === undefined) return;
    const { moves, whole, push } = arrived;
    predecessor.listen({
      onMoving: moves.take,
      onTakeOver: () => {
        this.#isOurs = true;
        this.#opening.open();
      },
      onReload: () => push({ type: 'reload' }),
      onGone: () => {
        this.#isOurs = true;
        this.#opening.open();
        moves.closeTo(predecessor);
      },
    });
    void whole.then(() => this.#ready(predecessor, arrived));
  }

  fail(thrown: unknown): void {
    const error = thrown instanceof EvyError ? thrown : new EvyError('INTERNAL', toError(thrown).message);
    if (!this.#isOurs) this.#predecessor?.tell({ type: 'failed', code: error.code, message: error.message });
  }

  /** This master ends, or gives way in turn. */
  leave(): void {
    this.#predecessor?.tell({ type: 'leaving' });
  }

  #ready(predecessor: Predecessor, { pidfile, listeners, moving, push, logger }: Arrived): void {
    try {
      // From here on whoever looks for the master finds this one. Should the one before stay, it writes the file again.
      if (pidfile !== '') writePidfile(pidfile, process.pid, predecessor.legacy.from);
    } catch (thrown) {
      this.fail(thrown);
      const { message } = toError(thrown);
      logger.error('master.failed', { code: 'BAD_OPTION', message });
      // Without the one before nobody else would serve.
      if (!this.#isOurs) push({ type: 'stop' });
      return;
    }
    const keys = listeners.filter(({ isLegacy }) => isLegacy).map(({ key }) => key);
    predecessor.tell({ type: 'ready', keys, moving });
  }
}

/**
 * How this process came to be a master.
 * @throws {EvyError} UPGRADE_FAILED when what was left to it cannot be used
 */
export function arrival(env: NodeJS.ProcessEnv): Arrival {
  return new Arrival(findPredecessor(env));
}
