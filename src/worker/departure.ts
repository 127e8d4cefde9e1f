/** How a worker leaves: it accepts no more, finishes what it has within the grace time, and tells what it could not. */
import type { RequestSummary } from '../shared/messages.ts';
import { stopListening } from './listening.ts';
import type { Running } from './boot.ts';

/** idle clients that were told to close get this long to see it */
const lingerMs = 500;

export interface Departure {
  graceMs: number;
  idle: 'close' | 'keep';
}

/**
 * Resolves with what is left when there is nothing more to wait for: nothing, or the requests that the grace time cuts.
 * Post hooks that are still running count as work, too.
 */
export async function depart(running: Running, { graceMs, idle }: Departure): Promise<RequestSummary[]> {
  const { serving, servers } = running;
  for (const server of servers) stopListening(server);
  serving.drain();
  if (idle === 'close') serving.closeIdle();
  if (await emptyWithin(running, graceMs)) return [];
  // Only clients that never asked again are left, or work that takes too long.
  serving.closeIdle();
  const cut = serving.requestsUnderWay();
  if (cut.length === 0 && serving.stats.pendingHooks === 0) {
    await emptyWithin(running, lingerMs);
    return [];
  }
  return cut;
}

function emptyWithin({ serving }: Running, ms: number): Promise<boolean> {
  if (serving.isEmpty) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(serving.isEmpty), ms);
    serving.onChange(() => {
      if (!serving.isEmpty) return;
      clearTimeout(timer);
      resolve(true);
    });
  });
}
