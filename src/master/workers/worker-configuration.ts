/** What a worker is told of itself before it loads anything. */
import type { MasterToWorker } from '../../shared/protocol/messages.ts';
import { firstInheritedFd } from './fork-worker.ts';
import type { Generation } from '../generations/generation.ts';
import { guardingOf } from '../load/guard-settings.ts';
import type { Listener } from '../sockets/listeners.ts';

type Configure = Extract<MasterToWorker, { type: 'configure' }>;

/** `listeners` in the order in which their descriptors were inherited; the watchdog's comes after them. */
export function configurationOf(
  generation: Generation,
  listeners: readonly Listener[],
  { standby }: { standby: boolean },
): Configure {
  const { number, release, settings, options } = generation;
  const binds = listeners.map(({ address, backlog, fd }, index) => ({
    name: address.name,
    kind: address.kind,
    tls: address.tls,
    backlog,
    ...(fd === undefined ? {} : { fd: firstInheritedFd + index }),
  }));
  const { graceMs, ready, warmup, stuckTimeoutMs: stuckMs } = options;
  const watchdogFd = firstInheritedFd + binds.filter((bind) => 'fd' in bind).length;
  const watchdog = stuckMs > 0 ? { fd: watchdogFd, stuckMs } : undefined;
  const rules = { settings, graceMs, standby, ready, warmup, watchdog, guarding: guardingOf(options) };
  return { type: 'configure', generation: number, release, binds, ...rules };
}
