import { expect } from 'chai';
import {
  nextReadingState,
  nextResponseState,
  nextWritingState,
  readingInputs,
  readingStates,
  responseInputs,
  responseStates,
  writingInputs,
  writingStates,
  type ReadingState,
  type ResponseState,
  type WritingState,
} from '../../../src/worker/loop/connection-states.ts';

/** Each state with each input, in the order of the inputs; '-' is an illegal move. Written out a second time, so that a change is meant. */
type Expected<State extends string> = Readonly<Record<State, ReadonlyArray<State | '-'>>>;

function describeTable<State extends string, Input extends string>(
  title: string,
  states: readonly State[],
  inputs: readonly Input[],
  steps: Readonly<Record<Input, (state: State) => State>>,
  expected: Expected<State>,
): void {
  describe(title, () => {
    for (const state of states) {
      for (const [index, input] of inputs.entries()) {
        const next = expected[state][index]!;
        it(`${state} + ${input} = ${next === '-' ? 'illegal' : next}`, () => {
          if (next === '-') expect(() => steps[input](state)).to.throw(`no input '${input}' in state '${state}'`);
          else expect(steps[input](state)).to.equal(next);
        });
      }
    }
  });
}

// request, request-with-body, body-end, response, stop
const reading: Expected<ReadingState> = {
  head: ['held', 'body', '-', '-', 'over'],
  body: ['-', '-', 'held', '-', 'over'],
  held: ['-', '-', '-', 'head', 'over'],
  over: ['-', '-', '-', '-', 'over'],
};
describeTable('what a connection reads', readingStates, readingInputs, nextReadingState, reading);

// request, response, close, lost
const writing: Expected<WritingState> = {
  idle: ['open', '-', 'closing', 'gone'],
  open: ['-', 'idle', 'closing', 'gone'],
  closing: ['-', '-', 'closing', 'gone'],
  gone: ['-', '-', '-', '-'],
};
describeTable('what a connection writes', writingStates, writingInputs, nextWritingState, writing);

// start, send, end, respond, expire, take, settle
const response: Expected<ResponseState> = {
  waiting: ['started', '-', '-', 'complete', 'expired', 'taken', 'over'],
  started: ['started', 'streaming', '-', 'complete', 'expired', '-', 'over'],
  streaming: ['-', '-', 'complete', '-', 'expired', '-', 'over'],
  expired: ['-', '-', 'expired', 'expired', '-', '-', 'over'],
  complete: ['-', '-', '-', '-', '-', '-', 'over'],
  taken: ['-', '-', '-', '-', '-', '-', 'over'],
  over: ['-', '-', '-', '-', '-', '-', '-'],
};
describeTable('how far a response is', responseStates, responseInputs, nextResponseState, response);
