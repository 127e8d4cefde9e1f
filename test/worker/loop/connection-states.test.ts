import { expect } from 'chai';
import {
  nextReadingState,
  nextResponseState,
  nextWritingState,
  readingInputs,
  readingStates,
  readingTable,
  responseInputs,
  responseStates,
  responseTable,
  writingInputs,
  writingStates,
  writingTable,
} from '../../../src/worker/loop/connection-states.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

describeStateTable('what a connection reads', {
  table: readingTable,
  states: readingStates,
  inputs: readingInputs,
  step: (state, input) => nextReadingState[input](state),
  first: 'head',
  last: ['over'],
});

describeStateTable('what a connection writes', {
  table: writingTable,
  states: writingStates,
  inputs: writingInputs,
  step: (state, input) => nextWritingState[input](state),
  first: 'idle',
  last: ['gone'],
});

describeStateTable('how far a response is', {
  table: responseTable,
  states: responseStates,
  inputs: responseInputs,
  step: (state, input) => nextResponseState[input](state),
  first: 'waiting',
  last: ['over'],
});

describe('a connection', () => {
  it('can be stopped in every state of reading, and can be lost in every state of writing but one', () => {
    for (const state of readingStates) expect(nextReadingState.stop(state)).to.equal('over');
    for (const state of writingStates) if (state !== 'gone') expect(nextWritingState.lost(state)).to.equal('gone');
  });

  it('settles a response once, whatever became of it', () => {
    for (const state of responseStates) if (state !== 'over') expect(nextResponseState.settle(state)).to.equal('over');
    expect(() => nextResponseState.settle('over')).to.throw();
  });
});
