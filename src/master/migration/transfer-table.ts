/**
 * The states of a transfer: one connection that moves from a worker (its origin) to another worker. A cell of the table
 * names the next state and the action, which the relay carries out.
 *
 * The origin keeps a copy, unread, until another worker has adopted the connection or is known not to have received it.
 * So whichever process dies, at most one of the others reads. While the origin lives, a connection that no worker
 * adopts goes back to it.
 */

/**
 * held by the relay, not offered; offered to a worker; the same two after the origin is gone, when the connection
 * cannot go back; ended
 */
export const transferStates = ['here', 'offered', 'stranded', 'offered-stranded', 'over'] as const;
export type TransferState = (typeof transferStates)[number];

/**
 * a worker was found; none was found; the worker adopted the connection; it never received it, as a synchronisation has
 * shown; the worker is gone; the origin is gone; no target will come
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

/**
 * send it to the worker; look for another worker; close our copy, and tell the origin that the connection moved, or did
 * not
 */
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
    'abandon': { to: 'over', deed: 'close' }, // it may have been adopted, so no other process may read it
  },
  'stranded': {
    'found': { to: 'offered-stranded', deed: 'offer' },
    'none-found': { to: 'stranded' },
    'abandon': { to: 'over', deed: 'close' },
  },
  'offered-stranded': {
    'adopted': { to: 'over', deed: 'close' },
    'missed': { to: 'stranded' }, // not placed immediately: a worker without a free descriptor will have none a moment later, either
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
