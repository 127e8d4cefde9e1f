/**
 * The condition of the process, beside the counters of its loop: memory, the delay of its event loop, and how busy that
 * is. Node measures the delay with its own timer (perf_hooks), ten times a second, which runs no JavaScript until it is
 * read.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { WorkerStats } from '../../shared/protocol/messages.ts';

const resolutionMs = 100;

export type VitalSigns = Pick<WorkerStats, 'rssBytes' | 'lagMs' | 'utilisation'>;

/** Returns a function that returns the values since its last call. */
export function watchVitalSigns(): () => VitalSigns {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  // The histogram is never reset: that would drop the current tick, which is the one that a blocked loop delays.
  let before = { count: 0, sumMs: 0 };
  let rssBytes = 0;
  let timeBefore = performance.eventLoopUtilization();
  return () => {
    const { count } = delays;
    const sumMs = count === 0 ? 0 : (delays.mean / 1e6) * count;
    const ticks = count - before.count;
    // Each sample is the time between two ticks.
    const lagMs = ticks === 0 ? 0 : Math.max(0, Math.round((sumMs - before.sumMs) / ticks - resolutionMs));
    before = { count, sumMs };
    const time = performance.eventLoopUtilization();
    const utilisation = Math.round(performance.eventLoopUtilization(time, timeBefore).utilization * 1000) / 1000 || 0;
    timeBefore = time;
    try {
      rssBytes = process.memoryUsage.rss();
    } catch {
      // Reading it opens a file; without a free descriptor the last value is kept.
    }
    return { rssBytes, lagMs, utilisation };
  };
}
