/**
 * The phases of a reload, as a table of states. Until a reload is live, an error fails it; after that it is rolled
 * back, since clients have been served by the new generation. A bake time may reject it as soon as one new worker
 * serves.
 */
import { stateMachine } from '../../shared/state-machine.ts';
import type { Transitions } from '../../shared/state-machine.ts';

/**
 * reading and checking; one new worker boots; the others follow; the old ones are on standby (no time at all without a
 * bake time); they leave; and the three final phases
 */
export const reloadPhases = [
  'preparing',
  'canary',
  'rolling',
  'baking',
  'draining',
  'done',
  'failed',
  'rolled-back',
] as const;
export const reloadInputs = ['prepared', 'ready', 'live', 'accept', 'gone', 'fail', 'condemn'] as const;
export type ReloadPhase = (typeof reloadPhases)[number];
export type ReloadInput = (typeof reloadInputs)[number];

export const reloadTable: Transitions<ReloadPhase, ReloadInput> = {
  'preparing': { prepared: 'canary', fail: 'failed' },
  'canary': { ready: 'rolling', fail: 'failed' },
  'rolling': { live: 'baking', fail: 'failed', condemn: 'rolled-back' },
  'baking': { accept: 'draining', fail: 'rolled-back', condemn: 'rolled-back' },
  'draining': { gone: 'done' },
  'done': {},
  'failed': {},
  'rolled-back': {},
};

export const nextReloadPhase = stateMachine('reload', reloadTable);
