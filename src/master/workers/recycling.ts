/**
 * Decides which workers are overdue: those that have served for long enough, or have grown too large. Overdue is a
 * property of a worker, like its state; reconcile decides how it is replaced (the new one first, `surge` at a time).
 *
 * Memory is ignored at first: a worker that is too large right after its start would be replaced repeatedly.
 */
import type { Options } from '../../shared/options/table.ts';

export type RecyclingLimits = Pick<
  Options,
  'maxRequests' | 'maxRequestsJitter' | 'maxAgeMs' | 'maxAgeJitterMs' | 'maxMemoryBytes' | 'maxTotalMemoryBytes'
>;

/** A worker that is ready. */
export interface AgingWorker {
  readonly id: number;
  readonly limits: RecyclingLimits;
  /** it is overdue already, and stays so even if its memory shrinks */
  readonly overdue: RecyclingReason | undefined;
  /** without health checks */
  readonly requests: number;
  readonly readyForMs: number;
  readonly rssBytes: number;
  /** from [0, 1), drawn once per worker */
  readonly chance: number;
}

export type RecyclingReason = 'maxRequests' | 'maxAge' | 'maxMemory' | 'maxTotalMemory';

/** The memory of a worker is ignored for this long after it became ready. */
export const settlingMs = 10_000;

function ownReason({ limits, requests, readyForMs, rssBytes, chance }: AgingWorker): RecyclingReason | undefined {
  const { maxRequests, maxRequestsJitter, maxAgeMs, maxAgeJitterMs, maxMemoryBytes } = limits;
  if (maxRequests > 0 && requests >= maxRequests + Math.floor(chance * (maxRequestsJitter + 1))) return 'maxRequests';
  if (maxAgeMs > 0 && readyForMs >= maxAgeMs + chance * maxAgeJitterMs) return 'maxAge';
  if (maxMemoryBytes > 0 && readyForMs >= settlingMs && rssBytes >= maxMemoryBytes) return 'maxMemory';
  return undefined;
}

/**
 * Returns the workers that have become overdue, with the option that is the reason. `workers` are all that are ready.
 */
export function newlyOverdue(workers: readonly AgingWorker[]): Map<number, RecyclingReason> {
  const found = new Map<number, RecyclingReason>();
  for (const worker of workers) {
    const reason = worker.overdue === undefined ? ownReason(worker) : undefined;
    if (reason !== undefined) found.set(worker.id, reason);
  }
  // Replacing the largest worker may free enough memory, so a second one waits until that one has exited.
  if (found.size > 0 || workers.some(({ overdue }) => overdue !== undefined)) return found;
  const totalBytes = workers.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  const settled = workers.filter(({ readyForMs }) => readyForMs >= settlingMs);
  const largest = settled.toSorted((one, other) => other.rssBytes - one.rssBytes)[0];
  const mostBytes = largest?.limits.maxTotalMemoryBytes ?? 0;
  if (largest !== undefined && mostBytes > 0 && totalBytes >= mostBytes) found.set(largest.id, 'maxTotalMemory');
  return found;
}
