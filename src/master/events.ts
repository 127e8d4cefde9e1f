/** What a master tells whoever embeds it. */
import type { ReloadResult } from './commands.ts';
import type { BoundAddress } from './listeners.ts';

export interface WorkerInfo {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly generation: number;
}

export interface WorkerExit extends WorkerInfo {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** the last error that the worker reported */
  readonly error?: string;
}

export interface MasterEvents {
  'ready': [{ addresses: readonly BoundAddress[] }];
  'worker:spawned': [WorkerInfo];
  'worker:ready': [WorkerInfo];
  'worker:retiring': [WorkerInfo];
  'worker:exit': [WorkerExit];
  'reload:started': [{ generation: number }];
  'reload:done': [ReloadResult];
  'reload:failed': [{ generation: number; error: Error }];
  'scale': [{ from: number; to: number }];
  'stopping': [];
  'stopped': [];
}

/** Emits one event. Listeners run after the command that caused it is done, never in the middle of it. */
export type Emit = <Name extends keyof MasterEvents>(name: Name, ...values: MasterEvents[Name]) => void;
