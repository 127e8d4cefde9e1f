/**
 * The states of one worker as the master sees it, as a table.
 *
 * - Boot time-out, missing heartbeat and grace time-out are the same input, `deadline`; the state tells which it was.
 * - `retire` kills a worker that is only spawned: it has not said hello, has no configuration and so no connection. A
 *   booting one is asked to drain instead: it may have begun to accept just before its `ready` reaches the master, and
 *   killing it would cut that request. For the same reason `ready` may arrive after a drain message was sent or the
 *   worker was killed, and changes nothing then.
 * - `rest` puts a ready worker on standby: it accepts nothing and keeps its connections, until `resume` or its end.
 * - A draining or killed worker gets no other orders: the master only waits for its exit.
 */
import { stateMachine } from '../../shared/state-machine.ts';
import type { Transitions } from '../../shared/state-machine.ts';

export const workerStates = ['spawned', 'booting', 'ready', 'standby', 'draining', 'killed', 'gone'] as const;
export const workerInputs = ['hello', 'ready', 'rest', 'resume', 'retire', 'deadline', 'exit'] as const;
export type WorkerState = (typeof workerStates)[number];
export type WorkerInput = (typeof workerInputs)[number];

export const workerTable: Transitions<WorkerState, WorkerInput> = {
  spawned: { hello: 'booting', retire: 'killed', deadline: 'killed', exit: 'gone' },
  booting: { ready: 'ready', retire: 'draining', deadline: 'killed', exit: 'gone' },
  ready: { rest: 'standby', retire: 'draining', deadline: 'killed', exit: 'gone' },
  standby: { resume: 'ready', retire: 'draining', deadline: 'killed', exit: 'gone' },
  draining: { ready: 'draining', deadline: 'killed', exit: 'gone' },
  killed: { hello: 'killed', ready: 'killed', exit: 'gone' },
  gone: {},
};

export const nextWorkerState = stateMachine('worker', workerTable);

/** Whether a worker counts: it accepts, or will. */
export function isLive(state: WorkerState): boolean {
  return state === 'spawned' || state === 'booting' || state === 'ready';
}

/** Whether a worker has not been told to leave. */
export function stays(state: WorkerState): boolean {
  return isLive(state) || state === 'standby';
}

/** The properties of a worker that decide whether it stays; reconcile compares them with what is wanted. */
export interface SeenWorker {
  /** rises with each spawn */
  readonly id: number;
  readonly generation: number;
  readonly state: WorkerState;
  /** it serves, but is to be replaced (see recycling.ts) */
  readonly overdue?: boolean;
}
