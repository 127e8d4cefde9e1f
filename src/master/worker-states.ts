/**
 * The life of one worker as the master sees it: a row in a table.
 *
 * - Boot time-out, missing heartbeat and grace time-out are the same input, `deadline`; the state says which it was.
 * - `retire` kills a worker that is only spawned: it has not said hello, got no configuration and so holds no
 *   connection. A booting one is asked to drain instead: it may have begun to accept in the moment before its `ready`
 *   reaches us, and killing it would cut that request. For the same reason `ready` may cross a `drain` or a kill on
 *   its way, and changes nothing then.
 * - A draining or killed worker is beyond wishes: nothing but its end is waited for.
 */
import { stateMachine } from '../shared/state-machine.ts';
import type { Transitions } from '../shared/state-machine.ts';

export const workerStates = ['spawned', 'booting', 'ready', 'draining', 'killed', 'gone'] as const;
export const workerInputs = ['hello', 'ready', 'retire', 'deadline', 'exit'] as const;
export type WorkerState = (typeof workerStates)[number];
export type WorkerInput = (typeof workerInputs)[number];

export const workerTable: Transitions<WorkerState, WorkerInput> = {
  spawned: { hello: 'booting', retire: 'killed', deadline: 'killed', exit: 'gone' },
  booting: { ready: 'ready', retire: 'draining', deadline: 'killed', exit: 'gone' },
  ready: { retire: 'draining', deadline: 'killed', exit: 'gone' },
  draining: { ready: 'draining', deadline: 'killed', exit: 'gone' },
  killed: { hello: 'killed', ready: 'killed', exit: 'gone' },
  gone: {},
};

export const nextWorkerState = stateMachine('worker', workerTable);

/** A worker that counts: it serves, or is on its way there. */
export function isLive(state: WorkerState): boolean {
  return state === 'spawned' || state === 'booting' || state === 'ready';
}
