import { expect } from 'chai';
import {
  isLive,
  nextWorkerState,
  stays,
  workerInputs,
  workerStates,
  workerTable,
} from '../../../src/master/workers/worker-states.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

describe('the life of a worker', () => {
  describeStateTable('its table', {
    states: workerStates,
    inputs: workerInputs,
    table: workerTable,
    step: nextWorkerState,
    first: 'spawned',
    last: ['gone'],
  });

  it('ends from every state by exit, and by nothing else', () => {
    for (const state of workerStates) {
      const ways = workerInputs.filter((input) => workerTable[state][input] === 'gone');
      expect(ways, state).to.deep.equal(state === 'gone' ? [] : ['exit']);
    }
  });

  it('is not killed by retiring once it may hold a connection', () => {
    expect(workerStates.filter((state) => workerTable[state].retire === 'killed')).to.deep.equal(['spawned']);
  });

  it('takes a ready that crosses a drain or a kill, and is not ready then', () => {
    expect(['draining' as const, 'killed' as const].map((state) => nextWorkerState(state, 'ready'))).to.deep.equal([
      'draining',
      'killed',
    ]);
  });

  it('counts while it accepts or is on its way there, and stays until it is told to leave', () => {
    expect(workerStates.filter(isLive)).to.deep.equal(['spawned', 'booting', 'ready']);
    expect(workerStates.filter(stays)).to.deep.equal(['spawned', 'booting', 'ready', 'standby']);
  });
});
