/** Everything that can happen to a master, as a closed union of commands: what its queue holds. */
import type { Preparation } from '../generations/generation.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { ScaleResult, UpgradeResult } from '../outcomes/results.ts';
import type { ReloadCommand } from '../reload/reloading.ts';
import type { NextMasterCommand } from '../upgrade/upgrading.ts';
import type { WorkerHandle, WorkerNews } from '../workers/worker.ts';

export type Command =
  | { type: 'worker'; worker: WorkerHandle; news: WorkerNews }
  | ReloadCommand
  | { type: 'prepared'; number: number; outcome: Preparation }
  | { type: 'scale'; change: { to: number } | { by: number }; answer?: Deferred<ScaleResult> }
  | { type: 'upgrade'; answer?: Deferred<UpgradeResult> }
  | NextMasterCommand
  | { type: 'stop'; graceMs?: number | undefined; answer?: Deferred<void> }
  | { type: 'stop-now'; answer?: Deferred<void> }
  /** as sent by a terminal: the first one stops gracefully, the second one immediately */
  | { type: 'interrupt' }
  | { type: 'reopen-logs' }
  | { type: 'unsupported'; signal: NodeJS.Signals }
  /** the place of a worker may be filled again */
  | { type: 'wake' };
