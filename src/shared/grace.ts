/** Checks the grace time that a caller passes to `stop()`. */
import { EvyError } from './errors.ts';

/** @throws {EvyError} BAD_OPTION unless it is a number of milliseconds; Infinity waits without a limit */
export function checkGraceMs(graceMs: unknown): number {
  if (typeof graceMs === 'number' && graceMs >= 0) return Math.min(graceMs, Number.MAX_SAFE_INTEGER);
  throw new EvyError('BAD_OPTION', `graceMs must be a number of milliseconds, at least 0 (got ${String(graceMs)})`);
}
