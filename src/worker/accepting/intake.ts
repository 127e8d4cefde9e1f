/**
 * What lies between accept(2) and the HTTP loop. It counts what was accepted, and keeps it back while listening sockets are being
 * closed: a client that is answered may connect again at once, and then the kernel's queue would never be seen empty.
 */
import type { Transport } from '../../shared/node-private/node-private.ts';

export class Intake {
  #accepted = 0;
  #heldBack: Array<() => void> | undefined;

  /** connections of all listening sockets so far */
  get accepted(): number {
    return this.#accepted;
  }
  /** those that are kept back */
  get waiting(): number {
    return this.#heldBack?.length ?? 0;
  }
  get holdsBack(): boolean {
    return this.#heldBack !== undefined;
  }

  readonly noteAccepted = (): void => {
    this.#accepted += 1;
  };

  /** From now on `keep` is to be called in place of serving a connection. */
  holdBack(): void {
    this.#heldBack ??= [];
  }

  /** `serve` is called later, unless the client has gone without a word by then. Only while it holds back. */
  keep(transport: Transport, serve: () => void): void {
    this.#heldBack!.push(() => {
      if (transport.hasEnded) transport.destroy();
      else if (!transport.isDestroyed) serve();
    });
  }

  /** Has all served that it kept back, and keeps nothing back any more. */
  letGo(): void {
    const waiting = this.#heldBack ?? [];
    this.#heldBack = undefined;
    for (const serve of waiting) serve();
  }
}
