/**
 * How the process is, beside what its loop counts: memory, how late its event loop runs, and how busy it is. The delays are measured by
 * Node's own timer (perf_hooks), ten times a second, without a line of JavaScript until somebody asks.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { WorkerStats } from '../../shared/protocol/messages.ts';

const resolutionMs = 100;

export type VitalSigns = Pick<WorkerStats, 'rssBytes' | 'lagMs' | 'utilisation'>;

/** Returns a function that tells the signs since it was called last. */
export function watchVitalSigns(): () => VitalSigns {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  // Never reset: that would forget the tick which is under way, the very one that a blocked loop delays.
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
      // It opens a file; without a descriptor left the last value has to do.
    }
    return { rssBytes, lagMs, utilisation };
  };
}
