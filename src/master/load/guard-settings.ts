/** What the options ask of the workers' guard (src/worker/limits/request-guard.ts). */
import type { Guarding } from '../../shared/protocol/guarding.ts';
import type { Options } from '../../shared/options/table.ts';

export function guardingOf(options: Options): Guarding {
  const { healthPaths, maxRequests, maxConnections, maxConcurrentRequests, quarantine } = options;
  return {
    healthPaths,
    countsHealth: maxRequests > 0 && healthPaths.length > 0,
    limitsConnections: maxConnections > 0,
    limitsRequests: maxConcurrentRequests > 0,
    quarantines: quarantine > 0,
  };
}
