import { expect } from 'chai';
import {
  nextTransferStep,
  transferInputs,
  transferStates,
  transferTable,
  type TransferInput,
  type TransferState,
} from '../../../src/master/migration/transfer-table.ts';
import type { Transitions } from '../../../src/shared/state-machine.ts';
import { describeStateTable } from '../../helpers/state-table.ts';

const states = Object.fromEntries(
  Object.entries(transferTable).map(([state, row]) => [
    state,
    Object.fromEntries(Object.entries(row).map(([input, { to }]) => [input, to])),
  ]),
) as Transitions<TransferState, TransferInput>;

describe('the table of a transfer', () => {
  describeStateTable('its table', {
    states: transferStates,
    inputs: transferInputs,
    table: states,
    step: (state, input) => nextTransferStep(state, input).to,
    first: 'here',
    last: ['over'],
  });

  it('offers a connection whenever a worker is found, and waits for one without an origin to return it to', () => {
    expect(nextTransferStep('here', 'found')).to.deep.equal({ to: 'offered', deed: 'offer' });
    expect(nextTransferStep('stranded', 'found')).to.deep.equal({ to: 'offered-stranded', deed: 'offer' });
    expect(nextTransferStep('stranded', 'none-found').to).to.equal('stranded');
  });

  it('looks for another worker when the one it was offered to has gone', () => {
    for (const state of ['offered', 'offered-stranded'] as const)
      expect(nextTransferStep(state, 'target-gone').deed, state).to.equal('place');
  });

  it('tells the origin that it moved only when it was adopted and the origin is there', () => {
    const confirming = transferStates.flatMap((state) =>
      Object.entries(transferTable[state]).flatMap(([input, { deed }]) =>
        deed === 'close-and-confirm' ? [`${state} + ${input}`] : [],
      ),
    );
    expect(confirming).to.deep.equal(['offered + adopted']);
  });

  it('lets the origin read again only when nobody else can, and ends by closing our copy', () => {
    for (const state of transferStates) {
      for (const [input, step] of Object.entries(transferTable[state])) {
        const closes = step.deed?.startsWith('close') === true;
        expect(closes, `${state} + ${input}`).to.equal(step.to === 'over');
        // Offered and not known to have been missed: somebody may be reading.
        if (step.deed === 'close-and-return') expect(state === 'here' || input === 'missed').to.equal(true);
      }
    }
  });
});
