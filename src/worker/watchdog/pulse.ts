/**
 * The heartbeat of the main thread: a counter in shared memory that is incremented whenever the event loop turns, and
 * that the watchdog reads.
 */
export interface Pulse {
  readonly memory: SharedArrayBuffer;
  readonly count: number;
  stop(): void;
}

const beats = 0;
const debugged = 1;

/** `isDebugged` is called at each beat, since a thread at a breakpoint does not beat. */
export function startPulse(tickMs: number, isDebugged: () => boolean): Pulse {
  const memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  const cells = new Int32Array(memory);
  const beat = (): void => {
    Atomics.store(cells, debugged, isDebugged() ? 1 : 0);
    Atomics.add(cells, beats, 1);
  };
  beat();
  const timer = setInterval(beat, tickMs);
  timer.unref();
  return {
    memory,
    get count() {
      return Atomics.load(cells, beats);
    },
    stop: () => clearInterval(timer),
  };
}

/** The watchdog's side of the pulse. */
export class PulseReader {
  readonly #cells: Int32Array;
  #last = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  /** As of the last check. */
  get count(): number {
    return this.#last;
  }
  /** Whether there was a beat since the last check. */
  get hasBeaten(): boolean {
    const now = Atomics.load(this.#cells, beats);
    const has = now !== this.#last;
    this.#last = now;
    return has;
  }
  get isDebugged(): boolean {
    return Atomics.load(this.#cells, debugged) === 1;
  }
}
