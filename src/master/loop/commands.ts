/** Everything that can happen to a master, as a closed union: what its queue holds. */
import type { Deferred } from '../outcomes/queue.ts';
import type { Generation } from '../generations/generation.ts';
import type { ReloadResult, ScaleResult, UpgradeResult } from '../outcomes/results.ts';
import type { Successor, SuccessorNews } from '../upgrade/next-master.ts';
import type { WorkerHandle, WorkerNews } from '../workers/worker.ts';

/** The outcome of reading the configuration and looking for the application anew. */
export type Preparation = { generation: Generation; ignored: readonly string[] } | { error: Error };

export type Command =
  | { type: 'worker'; worker: WorkerHandle; news: WorkerNews }
  | { type: 'reload'; answer?: Deferred<ReloadResult> }
  | { type: 'prepared'; number: number; outcome: Preparation }
  | { type: 'scale'; change: { to: number } | { by: number }; answer?: Deferred<ScaleResult> }
  | { type: 'upgrade'; answer?: Deferred<UpgradeResult> }
  | { type: 'successor'; successor: Successor; news: SuccessorNews }
  | { type: 'stop'; graceMs?: number | undefined; answer?: Deferred<void> }
  | { type: 'stop-now'; answer?: Deferred<void> }
  /** as from a terminal: stops gracefully, and at once the second time */
  | { type: 'interrupt' }
  | { type: 'reopen-logs' }
  | { type: 'unsupported'; signal: NodeJS.Signals }
  /** a worker's place may be filled again */
  | { type: 'wake' };
