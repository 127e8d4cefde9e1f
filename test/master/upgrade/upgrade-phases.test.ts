import { expect } from 'chai';
import {
  nextUpgradePhase,
  upgradeInputs,
  upgradePhases,
  upgradeTable,
  type UpgradePhase,
} from '../../../src/master/upgrade/upgrade-phases.ts';

/** In the order of the inputs: ready, leave, fail. '-' is an illegal move. Written out a second time, so that a change is meant. */
const expected: Record<UpgradePhase, ReadonlyArray<UpgradePhase | '-'>> = {
  'starting': ['handing-over', '-', 'failed'],
  'handing-over': ['-', 'leaving', 'failed'],
  'leaving': ['-', 'leaving', '-'],
  'failed': ['-', '-', '-'],
};

describe("an upgrade's phases", () => {
  for (const phase of upgradePhases) {
    for (const [index, input] of upgradeInputs.entries()) {
      const next = expected[phase][index]!;
      it(`${phase} + ${input} = ${next === '-' ? 'illegal' : next}`, () => {
        if (next === '-') expect(() => nextUpgradePhase(phase, input)).to.throw(`'${input}' in state '${phase}'`);
        else expect(nextUpgradePhase(phase, input)).to.equal(next);
      });
    }
  }

  it('end in failure from each that can still be taken back', () => {
    expect(upgradePhases.filter((phase) => upgradeTable[phase].fail === 'failed')).to.deep.equal([
      'starting',
      'handing-over',
    ]);
  });
});
