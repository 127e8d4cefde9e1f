import { expect } from 'chai';
import {
  isOnItsWayOut,
  nextWorkerPhase,
  workerPhaseInputs,
  workerPhases,
} from '../../../src/worker/process/worker-phases.ts';
import type { WorkerPhase, WorkerPhaseInput } from '../../../src/worker/process/worker-phases.ts';

type Next = WorkerPhase | '-';
/** In the order of `workerPhaseInputs`: configure, booted, rest, resume, drain, over, end. */
const row = (...next: [Next, Next, Next, Next, Next, Next, Next]) =>
  Object.fromEntries(workerPhaseInputs.map((input, index) => [input, next[index]!])) as Record<WorkerPhaseInput, Next>;

/** Every phase with every input; '-' is an illegal move. Written out a second time, so that a change is meant. */
const expected: Record<WorkerPhase, Record<WorkerPhaseInput, Next>> = {
  waiting: row('booting', '-', '-', '-', 'leaving', '-', 'ending'),
  booting: row('-', 'serving', '-', '-', 'leaving', '-', 'ending'),
  serving: row('-', '-', 'standby', 'serving', 'leaving', '-', 'ending'),
  standby: row('-', '-', 'standby', 'serving', 'leaving', '-', 'ending'),
  leaving: row('-', '-', '-', '-', '-', 'left', 'ending'),
  left: row('-', '-', '-', '-', '-', '-', 'ending'),
  ending: row('-', '-', '-', '-', '-', '-', 'ending'),
};

describe('the life of a worker, as it sees itself', () => {
  for (const phase of workerPhases) {
    for (const input of workerPhaseInputs) {
      const next = expected[phase][input];
      it(`${phase} + ${input} = ${next === '-' ? 'illegal' : next}`, () => {
        if (next === '-')
          expect(() => nextWorkerPhase(phase, input)).to.throw(`no input '${input}' in state '${phase}'`);
        else expect(nextWorkerPhase(phase, input)).to.equal(next);
      });
    }
  }

  it('can end from every phase, and is given nothing new once it leaves', () => {
    for (const phase of workerPhases) expect(nextWorkerPhase(phase, 'end')).to.equal('ending');
    expect(workerPhases.filter(isOnItsWayOut)).to.deep.equal(['leaving', 'left', 'ending']);
  });
});
