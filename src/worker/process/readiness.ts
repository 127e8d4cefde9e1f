/**
 * `ready()`: tells the worker that the application can serve, when the option `ready` is 'signal'.
 *
 * The worker and the application may load evy from two places (installed globally and beside the application, or two
 * copies in one tree), so they share a registered symbol rather than this module.
 */
const meetingPoint = Symbol.for('evy.ready');
const shared = globalThis as unknown as Record<symbol, (() => void) | undefined>;

/**
 * Tells evy that the application can serve (option `ready`). Only the first call counts. Outside a worker that waits
 * for it, the call has no effect.
 */
export function ready(): void {
  shared[meetingPoint]?.();
}

/** Resolves with the first `ready()` from now on. */
export function readySignal(): Promise<void> {
  return new Promise((resolve) => {
    shared[meetingPoint] = resolve;
  });
}
