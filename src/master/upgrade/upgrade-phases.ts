/**
 * An upgrade's life, as a table.
 *
 * - starting: the new master boots; both may serve.
 * - handing-over: it serves; connections go to it, and the workers here leave.
 * - leaving: the new one was told to stop, or gives way to yet another one. It is not to be taken back any more.
 * - failed: there is no new master (any more); this one serves.
 */
import { stateMachine } from '../../shared/state-machine.ts';
import type { Transitions } from '../../shared/state-machine.ts';

export const upgradePhases = ['starting', 'handing-over', 'leaving', 'failed'] as const;
export const upgradeInputs = ['ready', 'leave', 'fail'] as const;
export type UpgradePhase = (typeof upgradePhases)[number];
export type UpgradeInput = (typeof upgradeInputs)[number];

export const upgradeTable: Transitions<UpgradePhase, UpgradeInput> = {
  'starting': { ready: 'handing-over', fail: 'failed' },
  'handing-over': { leave: 'leaving', fail: 'failed' },
  'leaving': { leave: 'leaving' },
  'failed': {},
};

export const nextUpgradePhase = stateMachine('upgrade', upgradeTable);
