/**
 * The life of a worker as it sees it itself (the master's view of it is master/worker-states.ts).
 *
 * - `standby` accepts nothing and keeps what it has; there may be two reasons for that, so both orders may come twice.
 * - `leaving` finishes what it has. `left`: nothing is waited for any more, the end is being told.
 * - `ending` accepts nothing, adopts nothing, and only writes its logs: it has crashed, or was told to end at once. What its
 *   boot or its leaving come to by then changes nothing.
 */
import { stateMachine } from '../../shared/state-machine.ts';
import type { Transitions } from '../../shared/state-machine.ts';

export const workerPhases = ['waiting', 'booting', 'serving', 'standby', 'leaving', 'left', 'ending'] as const;
export const workerPhaseInputs = ['configure', 'booted', 'rest', 'resume', 'drain', 'over', 'end'] as const;
export type WorkerPhase = (typeof workerPhases)[number];
export type WorkerPhaseInput = (typeof workerPhaseInputs)[number];

export const workerPhaseTable: Transitions<WorkerPhase, WorkerPhaseInput> = {
  waiting: { configure: 'booting', drain: 'leaving', end: 'ending' },
  booting: { booted: 'serving', drain: 'leaving', end: 'ending' },
  serving: { rest: 'standby', resume: 'serving', drain: 'leaving', end: 'ending' },
  standby: { rest: 'standby', resume: 'serving', drain: 'leaving', end: 'ending' },
  leaving: { over: 'left', end: 'ending' },
  left: { end: 'ending' },
  ending: { end: 'ending' },
};

export const nextWorkerPhase = stateMachine('worker', workerPhaseTable);

/** It is given nothing new: no connection, and no order but to hurry. */
export function isOnItsWayOut(phase: WorkerPhase): boolean {
  return phase === 'leaving' || phase === 'left' || phase === 'ending';
}
