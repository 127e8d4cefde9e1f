/**
 * The command queue is the only way into the master. Signals, calls, timers and reports of workers put commands in; one loop
 * handles them, one at a time and never inside the call that put them in. Nothing is handled before `open()`.
 */
export class CommandQueue<Command> {
  readonly #waiting: Command[] = [];
  #handler: ((command: Command) => void) | undefined;
  #scheduled = false;

  push(command: Command): void {
    this.#waiting.push(command);
    this.#schedule();
  }

  /** From now on `handler` gets the commands. A later call replaces it. */
  open(handler: (command: Command) => void): void {
    this.#handler = handler;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#handler === undefined || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    try {
      for (let command = this.#waiting.shift(); command !== undefined; command = this.#waiting.shift())
        this.#handler!(command);
    } finally {
      this.#scheduled = false;
      this.#schedule();
    }
  }
}

/** A promise with its resolve and reject, for an answer that a later command gives. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
