import { expect } from 'chai';
import {
  nextTransferStep,
  transferInputs,
  transferStates,
  transferTable,
  type TransferInput,
  type TransferState,
} from '../../../src/master/migration/transfer-table.ts';

/** Every cell: 'state deed', 'state' without a deed, or '' for what must not happen. */
const cells: Record<TransferState, Record<TransferInput, string>> = {
  'here': {
    'found': 'offered offer',
    'none-found': 'over close-and-return',
    'adopted': '',
    'missed': '',
    'target-gone': '',
    'origin-gone': 'stranded',
    'abandon': 'over close-and-return',
  },
  'offered': {
    'found': '',
    'none-found': '',
    'adopted': 'over close-and-confirm',
    'missed': 'over close-and-return',
    'target-gone': 'here place',
    'origin-gone': 'offered-stranded',
    'abandon': 'over close',
  },
  'stranded': {
    'found': 'offered-stranded offer',
    'none-found': 'stranded',
    'adopted': '',
    'missed': '',
    'target-gone': '',
    'origin-gone': '',
    'abandon': 'over close',
  },
  'offered-stranded': {
    'found': '',
    'none-found': '',
    'adopted': 'over close',
    'missed': 'stranded',
    'target-gone': 'stranded place',
    'origin-gone': '',
    'abandon': 'over close',
  },
  'over': {
    'found': '',
    'none-found': '',
    'adopted': '',
    'missed': '',
    'target-gone': '',
    'origin-gone': '',
    'abandon': '',
  },
};

describe('the table of a transfer', () => {
  for (const state of transferStates) {
    for (const input of transferInputs) {
      const cell = cells[state][input];
      it(`${state} + ${input}: ${cell || 'illegal'}`, () => {
        if (cell === '') {
          expect(() => nextTransferStep(state, input)).to.throw(`no input '${input}' in state '${state}'`);
          return;
        }
        const { to, deed } = nextTransferStep(state, input);
        expect([to, deed].filter((word) => word !== undefined).join(' ')).to.equal(cell);
      });
    }
  }

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
