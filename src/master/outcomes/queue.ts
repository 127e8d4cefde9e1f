/**
 * The only way into the master: signals, calls, timers and workers' news put commands in, one loop takes them out, one at a
 * time and never inside of the call that put them in. Nothing is taken before `open()`.
 */
export class CommandQueue<Command> {
  readonly #waiting: Command[] = [];
  #handler: ((command: Command) => void) | undefined;
  #scheduled = false;

  push(command: Command): void {
    this.#waiting.push(command);
    this.#schedule();
  }

  /** From now on `handler` takes the commands. A later call hands over to another one. */
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

/** A promise and its two ends, for an answer that a later command gives. */
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
