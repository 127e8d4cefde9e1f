/** The message that configures a worker, sent before it loads the application. */
import { connectionParts } from '../../shared/node-private/node-private.ts';
import type { Options } from '../../shared/options/table.ts';
import type { Guarding } from '../../shared/protocol/guarding.ts';
import type { MasterToWorker } from '../../shared/protocol/messages.ts';
import type { Generation } from '../generations/generation.ts';
import type { Listener } from '../sockets/listeners.ts';
import { firstInheritedFd } from './process.ts';

type Configure = Extract<MasterToWorker, { type: 'configure' }>;

/** The options of the request guard (src/worker/limits/request-guard.ts). */
function guardingOf(options: Options): Guarding {
  const { healthPaths, maxRequests, maxConnections, maxConcurrentRequests, quarantine } = options;
  return {
    healthPaths,
    countsHealth: maxRequests > 0 && healthPaths.length > 0,
    limitsConnections: maxConnections > 0,
    limitsRequests: maxConcurrentRequests > 0,
    quarantines: quarantine > 0,
  };
}

/** `listeners` are in the order in which their descriptors are inherited; the watchdog's descriptor follows. */
export function configurationOf(
  generation: Generation,
  listeners: readonly Listener[],
  { standby }: { standby: boolean },
): Configure {
  const { number, release, settings, options } = generation;
  // Listeners that the master accepts from have no inherited descriptor.
  const inherited = listeners.filter(({ fd }) => fd !== undefined);
  const binds = listeners.map((listener) => ({
    name: listener.address.name,
    kind: listener.address.kind,
    tls: listener.address.tls,
    backlog: listener.backlog,
    ...(listener.fd === undefined ? {} : { fd: firstInheritedFd + inherited.indexOf(listener) }),
  }));
  const { graceMs, ready, warmup, stuckTimeoutMs: stuckMs } = options;
  const watchdogFd = firstInheritedFd + inherited.length;
  const watchdog = stuckMs > 0 ? { fd: watchdogFd, stuckMs } : undefined;
  const rules = { settings, graceMs, standby, ready, warmup, watchdog, guarding: guardingOf(options) };
  return { type: 'configure', generation: number, release, binds, parts: connectionParts(), ...rules };
}
