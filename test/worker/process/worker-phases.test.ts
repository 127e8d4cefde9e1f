import { expect } from 'chai';
import {
  isOnItsWayOut,
  nextWorkerPhase,
  workerPhaseInputs,
  workerPhases,
  workerPhaseTable,
} from '../../../src/worker/process/worker-phases.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

describeStateTable('the life of a worker, as it sees itself', {
  table: workerPhaseTable,
  states: workerPhases,
  inputs: workerPhaseInputs,
  step: nextWorkerPhase,
  first: 'waiting',
  last: ['ending'],
});

describe('a worker', () => {
  it('can end from every phase, and is given nothing new once it leaves', () => {
    for (const phase of workerPhases) expect(nextWorkerPhase(phase, 'end')).to.equal('ending');
    expect(workerPhases.filter(isOnItsWayOut)).to.deep.equal(['leaving', 'left', 'ending']);
  });
});
