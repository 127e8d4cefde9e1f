/**
 * The life of one worker as the master sees it, as a table of states.
 *
 * - Boot time-out, missing heartbeat and grace time-out are the same input, `deadline`; the state says which it was.
 * - `retire` kills a worker that is only spawned: it has not said hello, got no configuration and so holds no
 *   connection. A booting one is asked to drain instead: it may have begun to accept in the moment before its `ready`
 *   reaches the master, and killing it would cut that request. For the same reason `ready` may cross a `drain` or a kill on
 *   its way, and changes nothing then.
 * - `rest` puts a ready worker on standby: it accepts nothing and keeps what it has, until `resume` or the end.
 * - A draining or killed worker gets no other orders: only its end is waited for.
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

/** A worker that counts: it accepts, or is on its way there. */
export function isLive(state: WorkerState): boolean {
  return state === 'spawned' || state === 'booting' || state === 'ready';
}

/** One that nobody has told to leave yet. */
export function stays(state: WorkerState): boolean {
  return isLive(state) || state === 'standby';
}

/** The properties of a worker that decide whether it stays; reconcile compares them with what is wanted. */
export interface SeenWorker {
  /** rises with each spawn */
  readonly id: number;
  readonly generation: number;
  readonly state: WorkerState;
  /** it serves, and is to be replaced all the same (see recycling.ts) */
  readonly overdue?: boolean;
}
