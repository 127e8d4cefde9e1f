/**
 * The phases of a worker as it sees itself (the master's view is master/workers/worker-states.ts).
 *
 * - `standby` accepts nothing and keeps its connections; it can have two reasons, so both orders may come twice.
 * - `leaving` finishes its requests. `left`: nothing more is waited for, and the end is being reported.
 * - `ending` accepts nothing, adopts nothing, and only writes its logs: it has crashed, or was told to exit
 *   immediately. Results of its boot or its leaving are ignored then.
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

/** Whether it gets no more connections, and no orders but to hurry. */
export function isOnItsWayOut(phase: WorkerPhase): boolean {
  return phase === 'leaving' || phase === 'left' || phase === 'ending';
}
