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
  emit(signal: NodeJS.Signals, signalAgain: NodeJS.Signals): unknown;
  listenerCount(signal: NodeJS.Signals): number;
}

export class HeldSignals {
  /** Resolves when a held signal asks the server to stop. */
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
   * Emits the held signals again, in order, now that the final handlers are registered. The listeners of this class
   * stay, so that a signal without another listener is ignored until the process has exited.
   */
  passOn(): void {
    this.#isHolding = false;
    for (const signal of this.#clearHeld()) this.#source.emit(signal, signal);
  }

  /** Removes the listeners and raises the held signals again, so that they have their default effect. */
  release(raise: (signal: NodeJS.Signals) => void = (signal) => process.kill(process.pid, signal)): void {
    for (const signal of handledSignals) this.#source.off(signal, this.#hold);
    for (const signal of this.#clearHeld()) raise(signal);
  }

  readonly #hold = (signal: NodeJS.Signals): void => {
    // Another listener has received this signal already.
    if (!this.#isHolding || this.#source.listenerCount(signal) > 1) return;
    this.#held.push(signal);
    if (stopSignals.includes(signal)) this.#noteStop('stop');
  };

  #clearHeld(): NodeJS.Signals[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
