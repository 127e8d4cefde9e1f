/**
 * Whether workers accept connections. While the previous master serves on the same sockets, workers boot and hold back: an upgrade
 * that fails would close the connections that they had accepted. It opens once, for good.
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

  /** Calls back when it opens; at once if it has. */
  whenOpen(accept: () => void): void {
    if (this.#isOpen) accept();
    else this.#waiting.push(accept);
  }

  open(): void {
    this.#isOpen = true;
    for (const accept of this.#waiting.splice(0)) accept();
  }
}
