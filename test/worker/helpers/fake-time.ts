/** A clock under the test's hand: intervals run when told to, and performance.now() says what the test says. */
import { onEnd } from '../../helpers/cleanup.ts';

export interface FakeTime {
  /** Lets time pass without anything running: a blocked process. */
  pass(ms: number): void;
  /** Runs what intervals there are, once. */
  tick(): void;
  readonly intervals: number;
}

export function fakeTime(): FakeTime {
  const { setInterval: realSet, clearInterval: realClear } = globalThis;
  const realNow = performance.now.bind(performance);
  const running = new Map<object, () => void>();
  let nowMs = 1000;
  globalThis.setInterval = ((callback: () => void) => {
    const timer = { unref: () => timer };
    running.set(timer, callback);
    return timer;
  }) as unknown as typeof setInterval;
  globalThis.clearInterval = ((timer: object) => void running.delete(timer)) as unknown as typeof clearInterval;
  performance.now = () => nowMs;
  onEnd(() => {
    globalThis.setInterval = realSet;
    globalThis.clearInterval = realClear;
    performance.now = realNow;
  });
  return {
    pass: (ms) => {
      nowMs += ms;
    },
    tick: () => {
      for (const callback of Array.from(running.values())) callback();
    },
    get intervals() {
      return running.size;
    },
  };
}
