import {
  nextUpgradePhase,
  upgradeInputs,
  upgradePhases,
  upgradeTable,
} from '../../../src/master/upgrade/upgrade-phases.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

describe("an upgrade's phases", () => {
  describeStateTable('its table', {
    states: upgradePhases,
    inputs: upgradeInputs,
    table: upgradeTable,
    step: nextUpgradePhase,
    first: 'starting',
    last: ['leaving', 'failed'],
  });
});
