/**
 * `ready()`: how an application says that it can serve, when the option `ready` is 'signal'.
 *
 * The worker and the application may have evy from two places (installed globally and beside the application, or as
 * two copies in one tree), so they meet at a registered symbol rather than in this module.
 */
const meetingPoint = Symbol.for('evy.ready');
const shared = globalThis as unknown as Record<symbol, (() => void) | undefined>;

/** The application can serve. Only the first call counts; outside of a worker that waits for it nothing happens. */
export function ready(): void {
  shared[meetingPoint]?.();
}

/** Resolves with the first `ready()` from now on. */
export function readySignal(): Promise<void> {
  return new Promise((resolve) => {
    shared[meetingPoint] = resolve;
  });
}
