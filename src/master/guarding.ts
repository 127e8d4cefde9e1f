/** What the options ask of the workers' guard (src/worker/request-guard.ts). */
import type { Guarding } from '../shared/messages.ts';
import type { Options } from '../shared/options.ts';

export function guardingOf({ healthPaths, maxRequests }: Options): Guarding {
  return { healthPaths, countsHealth: maxRequests > 0 && healthPaths.length > 0 };
}
