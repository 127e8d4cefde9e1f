/**
 * Workers on standby, one part of reconcile: who accepts again, who leaves, and how many more may stand by.
 *
 * Those of the generation to go back to are kept warm, as many as are wanted; any other one leaves. The youngest return
 * first: they have been away for the shortest time.
 */
import type { SeenWorker, Wanted } from './reconcile.ts';

export interface Standby {
  readonly returning: readonly SeenWorker[];
  readonly leaving: readonly SeenWorker[];
  /** workers that may stand by beside those that stay so */
  readonly places: number;
}

/** Whether a worker that gives up its place is to be kept warm. */
export function isWarm({ warm, serving }: Wanted, { generation }: SeenWorker): boolean {
  return warm && generation === serving;
}

/** `missing` workers of the serving generation are to accept again, if there are so many. */
export function sortStandby(wanted: Wanted, seen: readonly SeenWorker[], missing: number): Standby {
  const resting = seen.filter(({ state }) => state === 'standby').toSorted((one, other) => other.id - one.id);
  const returning = resting.filter(({ generation }) => generation === wanted.serving).slice(0, Math.max(0, missing));
  const staying = resting.filter((worker) => !returning.includes(worker));
  const warm = staying.filter((worker) => isWarm(wanted, worker)).slice(0, wanted.workers);
  const leaving = staying.filter((worker) => !warm.includes(worker));
  return { returning, leaving, places: wanted.workers - warm.length };
}
