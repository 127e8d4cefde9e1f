/** setTimeout takes 2^31-1 ms, some 24.8 days; a longer time makes it 1 ms. */
const longestTimerMs = 2 ** 31 - 1;
/** node:http adds a second of its own to some times */
const spareMs = 60_000;

/** A wait of `ms`, or the longest that a timer takes. */
export function timerMs(ms: number): number {
  return Math.min(ms, longestTimerMs - spareMs);
}
