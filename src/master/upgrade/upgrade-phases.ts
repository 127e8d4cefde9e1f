/**
 * The phases of an upgrade, as a table.
 *
 * - starting: the next master boots; this one serves.
 * - handing-over: the next master serves; connections move to it, and the workers here leave.
 * - leaving: the next master was told to stop, or is itself upgraded. This one will not serve again.
 * - failed: there is no next master (any more); this one serves.
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
