/**
 * The table of a transfer, which is one connection that moves from a worker (its origin) to another one. A cell names the next state
 * and what is to be done; the relay does it.
 *
 * The origin keeps its copy, unread, until somebody has adopted the connection or is known not to have got it. So whichever
 * process dies, at most one of the others reads; and while the origin lives a connection that nobody takes goes back to it.
 */

/** here, not offered; offered to a worker; the same two when the origin is gone and nobody could take it back; ended */
export const transferStates = ['here', 'offered', 'stranded', 'offered-stranded', 'over'] as const;
export type TransferState = (typeof transferStates)[number];

/**
 * a worker was found, or none; it serves the connection; it never got it, as a synchronisation has shown; the worker is
 * gone; the origin is gone; nobody is left to wait for
 */
export const transferInputs = [
  'found',
  'none-found',
  'adopted',
  'missed',
  'target-gone',
  'origin-gone',
  'abandon',
] as const;
export type TransferInput = (typeof transferInputs)[number];

/** send it to the worker found; look for another worker; close our copy, and tell the origin that it moved, or that it did not */
export type TransferDeed = 'offer' | 'place' | 'close' | 'close-and-confirm' | 'close-and-return';

export interface TransferStep {
  readonly to: TransferState;
  readonly deed?: TransferDeed;
}

export const transferTable: Readonly<Record<TransferState, Readonly<Partial<Record<TransferInput, TransferStep>>>>> = {
  'here': {
    'found': { to: 'offered', deed: 'offer' },
    'none-found': { to: 'over', deed: 'close-and-return' },
    'origin-gone': { to: 'stranded' },
    'abandon': { to: 'over', deed: 'close-and-return' },
  },
  'offered': {
    'adopted': { to: 'over', deed: 'close-and-confirm' },
    'missed': { to: 'over', deed: 'close-and-return' },
    'target-gone': { to: 'here', deed: 'place' },
    'origin-gone': { to: 'offered-stranded' },
    'abandon': { to: 'over', deed: 'close' }, // whether it was adopted is not known: nobody else may read it
  },
  'stranded': {
    'found': { to: 'offered-stranded', deed: 'offer' },
    'none-found': { to: 'stranded' },
    'abandon': { to: 'over', deed: 'close' },
  },
  'offered-stranded': {
    'adopted': { to: 'over', deed: 'close' },
    'missed': { to: 'stranded' }, // not placed at once: a worker without a free descriptor will have none a moment later, either
    'target-gone': { to: 'stranded', deed: 'place' },
    'abandon': { to: 'over', deed: 'close' },
  },
  'over': {},
};

/** @throws {Error} on an input that the state does not take */
export function nextTransferStep(state: TransferState, input: TransferInput): TransferStep {
  const step = transferTable[state][input];
  if (step === undefined) throw new Error(`transfer: no input '${input}' in state '${state}'`);
  return step;
}
