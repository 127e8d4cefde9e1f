/** The status of a master: a snapshot as plain data. */
import type { WorkerStats } from '../../shared/protocol/messages.ts';
import type { Wanted } from '../generations/plan.ts';
import type { ReloadStatus } from '../reload/reloading.ts';
import type { BoundAddress } from '../sockets/bind-address.ts';
import type { WorkerState } from '../workers/worker-states.ts';
import type { WorkerHandle } from '../workers/worker.ts';

export type MasterState =
  | 'idle'
  | 'starting'
  | 'serving'
  | 'reloading'
  | 'baking'
  | 'upgrading'
  | 'stopping'
  | 'stopped';

/** The status of one worker. */
export interface WorkerStatus {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly generation: number;
  readonly state: WorkerState;
  /** when it entered this state, milliseconds since the epoch */
  readonly sinceMs: number;
  /** workers before it in its place that died right after their start */
  readonly restarts: number;
  /** the last report of its counters */
  readonly stats?: WorkerStats;
}

/** The result of `master.status()`. */
export interface MasterStatus {
  readonly pid: number;
  readonly state: MasterState;
  /** the generation that was accepted last; 0 before the start */
  readonly generation: number;
  /** the generation that a reload brings in; in the state 'baking' it already serves alone */
  readonly candidate: number | null;
  /** the current reload, or the last one */
  readonly reload?: ReloadStatus;
  readonly wantedWorkers: number;
  readonly addresses: readonly BoundAddress[];
  readonly workers: readonly WorkerStatus[];
}

function workerStatus(worker: WorkerHandle): WorkerStatus {
  const { id, pid, generation, state, stateSinceMs, streak, record } = worker;
  const { stats } = record;
  return {
    worker: id,
    pid,
    generation: generation.number,
    state,
    sinceMs: stateSinceMs,
    restarts: streak,
    ...(stats === undefined ? {} : { stats }),
  };
}

export function masterStatus(
  state: MasterState,
  wanted: Pick<Wanted, 'serving' | 'candidate' | 'workers'>,
  addresses: readonly BoundAddress[],
  workers: readonly WorkerHandle[],
  reload: ReloadStatus | undefined,
): MasterStatus {
  return {
    pid: process.pid,
    state,
    generation: wanted.serving,
    candidate: wanted.candidate,
    ...(reload === undefined ? {} : { reload }),
    wantedWorkers: wanted.workers,
    addresses,
    workers: workers.map(workerStatus),
  };
}
