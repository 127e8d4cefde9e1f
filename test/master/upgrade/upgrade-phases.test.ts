import {
  nextUpgradePhase,
  upgradeInputs,
  upgradePhases,
  upgradeTable,
} from '../../../src/master/upgrade/upgrade-phases.ts';
import { itIsASoundTable } from '../helpers/state-table.ts';

describe("an upgrade's phases", () => {
  itIsASoundTable({
    states: upgradePhases,
    inputs: upgradeInputs,
    table: upgradeTable,
    next: nextUpgradePhase,
    first: 'starting',
    ends: ['leaving', 'failed'],
  });
});
