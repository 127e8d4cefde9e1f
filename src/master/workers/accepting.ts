/**
 * Whether workers accept connections. While the previous master serves on the same sockets, workers boot but do not
 * accept, since a failed upgrade would close the connections that they accepted. It opens once, permanently.
 */
export class Opening {
  #isOpen: boolean;
  #waiting: Array<() => void> = [];

  constructor(isOpen: boolean) {
    this.#isOpen = isOpen;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls back when it opens; immediately if it is open. */
  whenOpen(accept: () => void): void {
    if (this.#isOpen) accept();
    else this.#waiting.push(accept);
  }

  open(): void {
    this.#isOpen = true;
    for (const accept of this.#waiting.splice(0)) accept();
  }
}
