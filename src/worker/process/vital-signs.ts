/**
 * How the process is, beside what its loop counts: memory, how late its event loop runs, and how busy it is. The delays are measured by
 * Node's own timer (perf_hooks), ten times a second while the worker is awake, without a line of JavaScript until somebody asks.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import { lowestFreeDescriptor } from '../accepting/descriptor-watch.ts';
import type { WorkerStats } from '../../shared/protocol/messages.ts';
import type { Watch } from './alertness.ts';

const resolutionMs = 100;
/** Processor time between two looks; what an awake worker does by itself, and collecting garbage, stays well below. */
const stirredMs = 50;
/** It has opened or closed some by itself. */
const stirredDescriptors = 4;

export type VitalSignsReport = Pick<WorkerStats, 'rssBytes' | 'lagMs' | 'utilisation'>;

export class VitalSigns implements Watch {
  #delays: IntervalHistogram | undefined;
  #before = { count: 0, sumMs: 0 };
  #rssBytes = 0;
  #reportedAt = performance.eventLoopUtilization();
  #usedMs = 0;
  #descriptors = 0;

  /** A new measure each time: one that goes on would take the time of sleep for a delay. */
  start(): void {
    this.#before = { count: 0, sumMs: 0 };
    this.#delays = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delays.enable();
  }

  stop(): void {
    this.#delays?.disable();
    this.#delays = undefined;
  }

  /** What there is to report since the last report. */
  report(): VitalSignsReport {
    const time = performance.eventLoopUtilization();
    const utilisation = Math.round(performance.eventLoopUtilization(time, this.#reportedAt).utilization * 1000) / 1000;
    this.#reportedAt = time;
    try {
      this.#rssBytes = process.memoryUsage.rss();
    } catch {
      // It opens a file; without a descriptor left the last value has to do.
    }
    return { rssBytes: this.#rssBytes, lagMs: this.#lagMs(), utilisation };
  }

  /** Whether the application used the processor or descriptors since this was asked last. */
  readonly hasStirred = (): boolean => {
    // Processor time, and not how busy the loop was: one that waits for a processor looks busy.
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
    // Each sample is the time between two ticks. Never reset: that would forget the tick which is under way, the very one that a
    // blocked loop delays.
    const lagMs = ticks === 0 ? 0 : Math.max(0, Math.round((sumMs - this.#before.sumMs) / ticks - resolutionMs));
    this.#before = { count, sumMs };
    return lagMs;
  }
}
