import { expect } from 'chai';
import {
  nextReloadPhase,
  reloadInputs,
  reloadPhases,
  reloadTable,
} from '../../../src/master/outcomes/reload-phases.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

describe('the life of a reload', () => {
  describeStateTable('its table', {
    states: reloadPhases,
    inputs: reloadInputs,
    table: reloadTable,
    step: nextReloadPhase,
    first: 'preparing',
    last: ['done', 'failed', 'rolled-back'],
  });

  it('fails until it is live, is rolled back while it bakes, and cannot be undone once it is accepted', () => {
    const outcomes = reloadPhases.map((phase) => reloadTable[phase].fail);
    expect(Object.fromEntries(reloadPhases.map((phase, index) => [phase, outcomes[index]]))).to.deep.include({
      preparing: 'failed',
      canary: 'failed',
      rolling: 'failed',
      baking: 'rolled-back',
      draining: undefined,
    });
  });
});
