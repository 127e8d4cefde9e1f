/** Time under the test's hand, for what is given its time: nothing of it passes by itself. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { tickMs, type TimeSource } from '../../../src/worker/transport/clock.ts';

export interface HandTime extends TimeSource {
  /** Lets time pass without anything running: a blocked process. */
  pass(ms: number): void;
  /** Calls back whoever wanted to be, once. */
  tick(): void;
  /** Both, tick by tick. */
  run(ms: number): void;
  /** The same for who talks to a server in this process: between two ticks, what has been sent is read. */
  flow(ms: number): Promise<void>;
  readonly intervals: number;
}

export function handTime(): HandTime {
  const callbacks = new Set<() => void>();
  let nowMs = 1000;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const tick = (): void => {
    for (const callback of Array.from(callbacks)) callback();
  };
  const one = (): void => {
    pass(tickMs);
    tick();
  };
  return {
    nowMs: () => nowMs,
    every: (_ms, callback) => {
      const own = (): void => callback();
      callbacks.add(own);
      return () => void callbacks.delete(own);
    },
    pass,
    tick,
    run: (ms) => {
      for (let passed = 0; passed < ms; passed += tickMs) one();
    },
    flow: async (ms) => {
      for (let passed = 0; passed < ms; passed += tickMs) {
        for (let turns = 0; turns < 10; turns += 1) await nextTurn();
        await sleep(1);
        one();
      }
    },
    get intervals() {
      return callbacks.size;
    },
  };
}
