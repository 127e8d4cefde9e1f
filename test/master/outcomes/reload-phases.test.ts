import { expect } from 'chai';
import { nextReloadPhase, reloadInputs, reloadPhases } from '../../../src/master/outcomes/reload-phases.ts';
import type { ReloadInput, ReloadPhase } from '../../../src/master/outcomes/reload-phases.ts';

type Next = ReloadPhase | '-';
/** In the order of `reloadInputs`: prepared, ready, live, accept, gone, fail, condemn. */
const row = (...next: [Next, Next, Next, Next, Next, Next, Next]) =>
  Object.fromEntries(reloadInputs.map((input, index) => [input, next[index]!])) as Record<ReloadInput, Next>;

/** Every phase with every input; '-' is an illegal move. Written out a second time, so that a change is meant. */
const expected: Record<ReloadPhase, Record<ReloadInput, Next>> = {
  'preparing': row('canary', '-', '-', '-', '-', 'failed', '-'),
  'canary': row('-', 'rolling', '-', '-', '-', 'failed', '-'),
  'rolling': row('-', '-', 'baking', '-', '-', 'failed', 'rolled-back'),
  'baking': row('-', '-', '-', 'draining', '-', 'rolled-back', 'rolled-back'),
  'draining': row('-', '-', '-', '-', 'done', '-', '-'),
  'done': row('-', '-', '-', '-', '-', '-', '-'),
  'failed': row('-', '-', '-', '-', '-', '-', '-'),
  'rolled-back': row('-', '-', '-', '-', '-', '-', '-'),
};

describe('the life of a reload', () => {
  for (const phase of reloadPhases) {
    for (const input of reloadInputs) {
      const next = expected[phase][input];
      it(`${phase} + ${input} = ${next === '-' ? 'illegal' : next}`, () => {
        if (next === '-')
          expect(() => nextReloadPhase(phase, input)).to.throw(`no input '${input}' in state '${phase}'`);
        else expect(nextReloadPhase(phase, input)).to.equal(next);
      });
    }
  }
});
