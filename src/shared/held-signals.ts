/**
 * Holds signals back while a process starts. Without a listener a signal does what the kernel does by default, which ends the
 * process for most of them, so the listeners are added before any other module is loaded. This file therefore imports nothing.
 */

/** What the command and its workers act on, or ignore on purpose. */
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
  emit(signal: NodeJS.Signals, signalAgain: NodeJS.Signals): unknown;
  listenerCount(signal: NodeJS.Signals): number;
}

export class HeldSignals {
  /** Resolves when a signal that stops the server is held. */
  readonly stopRequest: Promise<'stop'>;
  readonly #source: SignalEmitter;
  #held: NodeJS.Signals[] = [];
  #isHolding = true;
  #noteStop: (stop: 'stop') => void = () => {};

  constructor(source: SignalEmitter = process) {
    this.#source = source;
    this.stopRequest = new Promise((resolve) => {
      this.#noteStop = resolve;
    });
    for (const signal of handledSignals) source.on(signal, this.#hold);
  }

  /**
   * Everybody who acts on signals listens by now, and receives what was held, in its order. The listeners of this class stay, so that
   * a signal that nobody else listens to is ignored until the very end of the process.
   */
  passOn(): void {
    this.#isHolding = false;
    for (const signal of this.#take()) this.#source.emit(signal, signal);
  }

  /** Nothing in this process acts on signals: each does what it does to any other program. */
  release(raise: (signal: NodeJS.Signals) => void = (signal) => process.kill(process.pid, signal)): void {
    for (const signal of handledSignals) this.#source.off(signal, this.#hold);
    for (const signal of this.#take()) raise(signal);
  }

  readonly #hold = (signal: NodeJS.Signals): void => {
    // Another listener has received it already.
    if (!this.#isHolding || this.#source.listenerCount(signal) > 1) return;
    this.#held.push(signal);
    if (stopSignals.includes(signal)) this.#noteStop('stop');
  };

  #take(): NodeJS.Signals[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
