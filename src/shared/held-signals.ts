/**
 * Holds signals while a process starts. Without a listener most signals would end the process, so the listeners are
 * added before any other module is loaded. This file therefore imports nothing.
 */

/** The signals that the command and its workers handle, or ignore on purpose. */
export const handledSignals = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGTTIN',
  'SIGTTOU',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
] as const satisfies readonly NodeJS.Signals[];

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM'];

/** `process`, or an emitter in a test. */
export interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  /** the listeners in the order in which they are called */
  rawListeners(signal: NodeJS.Signals): unknown[];
}

export class HeldSignals {
  /** Resolves when a held signal asks the server to stop. */
  readonly stopRequest: Promise<'stop'>;
  readonly #source: SignalEmitter;
  /**
   * Listeners of modules that Node loaded before this one (`--import`, `--require`). They receive each signal when it
   * comes, but do not stop this server.
   */
  readonly #strangers: ReadonlySet<unknown>;
  #held: NodeJS.Signals[] = [];
  #isHolding = true;
  #noteStop: (stop: 'stop') => void = () => {};

  constructor(source: SignalEmitter = process) {
    this.#source = source;
    this.stopRequest = new Promise((resolve) => {
      this.#noteStop = resolve;
    });
    this.#strangers = new Set(handledSignals.flatMap((signal) => source.rawListeners(signal)));
    for (const signal of handledSignals) source.on(signal, this.#hold);
  }

  /**
   * Hands the held signals to the final handlers, in order, now that these are registered. The listeners of this class
   * stay, so that a signal without another listener is ignored until the process has exited.
   */
  passOn(): void {
    this.#isHolding = false;
    for (const signal of this.#clearHeld()) {
      for (const handler of this.#handlersOf(signal)) {
        if (typeof handler === 'function') Reflect.apply(handler, this.#source, [signal]);
      }
    }
  }

  /** Removes the listeners and raises the held signals again, so that they have their default effect. */
  release(raise: (signal: NodeJS.Signals) => void = (signal) => process.kill(process.pid, signal)): void {
    for (const signal of handledSignals) this.#source.off(signal, this.#hold);
    for (const signal of this.#clearHeld()) raise(signal);
  }

  readonly #hold = (signal: NodeJS.Signals): void => {
    // A final handler receives this signal itself.
    if (!this.#isHolding || this.#handlersOf(signal).length > 0) return;
    this.#held.push(signal);
    if (stopSignals.includes(signal)) this.#noteStop('stop');
  };

  #handlersOf(signal: NodeJS.Signals): unknown[] {
    return this.#source.rawListeners(signal).filter((one) => one !== this.#hold && !this.#strangers.has(one));
  }

  #clearHeld(): NodeJS.Signals[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
