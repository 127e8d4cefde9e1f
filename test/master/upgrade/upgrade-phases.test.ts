import { expect } from 'chai';
import {
  nextUpgradePhase,
  upgradeInputs,
  upgradePhases,
  upgradeTable,
} from '../../../src/master/upgrade/upgrade-phases.ts';

describe("an upgrade's phases", () => {
  for (const phase of upgradePhases) {
    for (const input of upgradeInputs) {
      const next = upgradeTable[phase][input];
      it(`${phase}, ${input}: ${next ?? 'illegal'}`, () => {
        if (next === undefined) expect(() => nextUpgradePhase(phase, input)).to.throw(`'${input}' in state '${phase}'`);
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
