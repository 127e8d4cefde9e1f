/**
 * The condition of the process, beside the counters of its loop: memory, the delay of its event loop, and how busy that
 * is. Node measures the delay with its own timer (perf_hooks), ten times a second while the worker is awake, which runs
 * no JavaScript until it is read.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import { lowestFreeDescriptor } from '../accepting/descriptor-watch.ts';
import type { WorkerStats } from '../../shared/protocol/messages.ts';
import type { Watch } from './alertness.ts';

const resolutionMs = 100;
/** Processor time between two checks. The worker's own work and garbage collection stay well below it. */
const stirredMs = 50;
/** Descriptors that the application has opened or closed by itself. */
const stirredDescriptors = 4;

export type VitalSignsReport = Pick<WorkerStats, 'rssBytes' | 'lagMs' | 'utilisation'>;

export class VitalSigns implements Watch {
  #delays: IntervalHistogram | undefined;
  /** as of the last report, in this histogram */
  #before = { count: 0, sumMs: 0 };
  #rssBytes = 0;
  #reportedAt = performance.eventLoopUtilization();
  #usedMs = 0;
  #descriptors = 0;

  /** A new histogram each time, since an old one would count the time of sleep as a delay. */
  start(): void {
    this.#delays = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delays.enable();
  }

  stop(): void {
    this.#delays?.disable();
    this.#delays = undefined;
    this.#before = { count: 0, sumMs: 0 };
  }

  /** The values since the last report. */
  report(): VitalSignsReport {
    const time = performance.eventLoopUtilization();
    const utilisation = Math.round(performance.eventLoopUtilization(time, this.#reportedAt).utilization * 1000) / 1000;
    this.#reportedAt = time;
    try {
      this.#rssBytes = process.memoryUsage.rss();
    } catch {
      // Reading it opens a file; without a free descriptor the last value is kept.
    }
    return { rssBytes: this.#rssBytes, lagMs: this.#lagMs(), utilisation };
  }

  /** Whether the application used processor time or descriptors since the last call. */
  readonly hasStirred = (): boolean => {
    // Processor time rather than the utilisation of the loop: a loop that waits for a processor looks busy.
    const { user, system } = process.cpuUsage();
    const usedMs = (user + system) / 1000;
    const used = usedMs - this.#usedMs;
    this.#usedMs = usedMs;
    const descriptors = lowestFreeDescriptor();
    const moved = Math.abs(descriptors - this.#descriptors);
    this.#descriptors = descriptors;
    return used >= stirredMs || moved >= stirredDescriptors;
  };

  #lagMs(): number {
    const { count = 0, mean = 0 } = this.#delays ?? {};
    const sumMs = count === 0 ? 0 : (mean / 1e6) * count;
    const ticks = count - this.#before.count;
    // Each sample is the time between two ticks. The histogram is never reset: that would drop the current tick, which
    // is the one that a blocked loop delays.
    const lagMs = ticks === 0 ? 0 : Math.max(0, Math.round((sumMs - this.#before.sumMs) / ticks - resolutionMs));
    this.#before = { count, sumMs };
    return lagMs;
  }
}
