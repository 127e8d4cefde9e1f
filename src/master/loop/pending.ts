/** Reloads that wait for the start, or an upgrade, to be done. */
import type { Command } from './commands.ts';

type Reload = Extract<Command, { type: 'reload' }>;

export class Pending {
  #reloads: Reload[] = [];

  reload(command: Reload): void {
    this.#reloads.push(command);
  }

  takeReloads(): Reload[] {
    const reloads = this.#reloads;
    this.#reloads = [];
    return reloads;
  }

  /** What they wait for will not come. */
  abandon(error: Error): void {
    for (const { answer } of this.takeReloads()) answer?.reject(error);
  }
}
