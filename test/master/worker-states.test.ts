import { expect } from 'chai';
import { isLive, nextWorkerState, workerInputs, workerStates } from '../../src/master/worker-states.ts';
import type { WorkerInput, WorkerState } from '../../src/master/worker-states.ts';

/** Every state with every input; '-' is an illegal move. Written out a second time, so that a change is meant. */
const expected: Record<WorkerState, Record<WorkerInput, WorkerState | '-'>> = {
  spawned: { hello: 'booting', ready: '-', retire: 'killed', deadline: 'killed', exit: 'gone' },
  booting: { hello: '-', ready: 'ready', retire: 'draining', deadline: 'killed', exit: 'gone' },
  ready: { hello: '-', ready: '-', retire: 'draining', deadline: 'killed', exit: 'gone' },
  draining: { hello: '-', ready: 'draining', retire: '-', deadline: 'killed', exit: 'gone' },
  killed: { hello: 'killed', ready: 'killed', retire: '-', deadline: '-', exit: 'gone' },
  gone: { hello: '-', ready: '-', retire: '-', deadline: '-', exit: '-' },
};

describe('the life of a worker', () => {
  for (const state of workerStates) {
    for (const input of workerInputs) {
      const next = expected[state][input];
      it(`${state} + ${input} = ${next === '-' ? 'illegal' : next}`, () => {
        if (next === '-')
          expect(() => nextWorkerState(state, input)).to.throw(`no input '${input}' in state '${state}'`);
        else expect(nextWorkerState(state, input)).to.equal(next);
      });
    }
  }

  it('ends from every state by exit, and nowhere else', () => {
    for (const state of workerStates) {
      const ways = workerInputs.filter((input) => expected[state][input] === 'gone');
      expect(ways).to.deep.equal(state === 'gone' ? [] : ['exit']);
    }
  });

  it('counts while it serves or is on its way there', () => {
    expect(workerStates.filter(isLive)).to.deep.equal(['spawned', 'booting', 'ready']);
  });
});
