/** Commands and answers that wait: a scaling for its workers, a reload for the start to be done. */
import type { Deferred } from './command-queue.ts';
import type { Command } from './commands.ts';

type Reload = Extract<Command, { type: 'reload' }>;

export class Pending {
  #scalings: Array<Deferred<void>> = [];
  #reloads: Reload[] = [];

  scaling(answer: Deferred<void> | undefined): void {
    if (answer) this.#scalings.push(answer);
  }

  reload(command: Reload): void {
    this.#reloads.push(command);
  }

  /** As many workers serve as are wanted. */
  scaled(): void {
    for (const answer of this.#scalings) answer.resolve();
    this.#scalings = [];
  }

  takeReloads(): Reload[] {
    const reloads = this.#reloads;
    this.#reloads = [];
    return reloads;
  }

  /** What they wait for will not come. */
  abandon(error: Error): void {
    for (const answer of this.#scalings) answer.reject(error);
    for (const { answer } of this.takeReloads()) answer?.reject(error);
    this.#scalings = [];
  }
}
