import { expect } from 'chai';
import {
  isLive,
  nextWorkerState,
  stays,
  workerInputs,
  workerStates,
} from '../../../src/master/workers/worker-states.ts';
import type { WorkerInput, WorkerState } from '../../../src/master/workers/worker-states.ts';

type Next = WorkerState | '-';
/** In the order of `workerInputs`: hello, ready, rest, resume, retire, deadline, exit. */
const row = (...next: [Next, Next, Next, Next, Next, Next, Next]) =>
  Object.fromEntries(workerInputs.map((input, index) => [input, next[index]!])) as Record<WorkerInput, Next>;

/** Every state with every input; '-' is an illegal move. Written out a second time, so that a change is meant. */
const expected: Record<WorkerState, Record<WorkerInput, Next>> = {
  spawned: row('booting', '-', '-', '-', 'killed', 'killed', 'gone'),
  booting: row('-', 'ready', '-', '-', 'draining', 'killed', 'gone'),
  ready: row('-', '-', 'standby', '-', 'draining', 'killed', 'gone'),
  standby: row('-', '-', '-', 'ready', 'draining', 'killed', 'gone'),
  draining: row('-', 'draining', '-', '-', '-', 'killed', 'gone'),
  killed: row('killed', 'killed', '-', '-', '-', '-', 'gone'),
  gone: row('-', '-', '-', '-', '-', '-', '-'),
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

  it('counts while it accepts or is on its way there, and stays until it is told to leave', () => {
    expect(workerStates.filter(isLive)).to.deep.equal(['spawned', 'booting', 'ready']);
    expect(workerStates.filter(stays)).to.deep.equal(['spawned', 'booting', 'ready', 'standby']);
  });
});
