/** The master's part in moving connections: who may move, when there is somewhere to go, and what was moved. */
import type { Logger } from '../../shared/log.ts';
import type { MovingToMaster } from '../../shared/messages.ts';
import type { PassedHandle } from '../../shared/node-private.ts';
import type { Drain, WorkerHandle } from '../worker-handle.ts';
import { Relay } from './relay.ts';

/** The workers as far as they matter here. */
export interface Workers {
  readonly workers: readonly WorkerHandle[];
  /** those that connections can be given to */
  readonly open: readonly WorkerHandle[];
}

export class Moves {
  readonly #possible: boolean;
  readonly #logger: Logger;
  readonly #crew: Workers;
  readonly #relay: Relay;

  /** `possible`: whether this platform lets connections move at all */
  constructor({ possible, logger }: { possible: boolean; logger: Logger }, crew: Workers) {
    this.#possible = possible;
    this.#logger = logger;
    this.#crew = crew;
    this.#relay = new Relay(() => crew.open);
  }

  readonly take = (worker: WorkerHandle, message: MovingToMaster, handle: PassedHandle | undefined): void =>
    this.#relay.take(worker, message, handle);

  /** What a worker that retires is to do with its connections. If it is the last one, another one is on its way: they wait for that. */
  idleOf(worker: WorkerHandle): Drain['idle'] {
    if (!this.#possible) return 'keep';
    return this.#crew.open.some((other) => other !== worker) ? 'move' : 'wait';
  }

  workerReady(): void {
    if (!this.#possible) return;
    this.#relay.flush();
    for (const worker of this.#crew.workers) worker.letMove();
  }

  /** No message of this worker can come any more. */
  gone(worker: WorkerHandle): void {
    const { moved, returned } = this.#relay.gone(worker);
    const { id, pid, generation } = worker;
    if (moved > 0)
      this.#logger.info('connections.moved', { worker: id, pid, generation: generation.number, moved, returned });
  }

  close(): void {
    this.#relay.close();
  }
}
