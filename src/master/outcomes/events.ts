/** The events that a master emits for the program that embeds it. */
import type { EvyError } from '../../shared/errors.ts';
import type { BoundAddress } from '../sockets/bind-address.ts';
import type {
  Progress,
  ReloadError,
  ReloadResult,
  ScaleChange,
  ScaleResult,
  StopResult,
  UpgradeResult,
} from './results.ts';

export interface WorkerInfo {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly generation: number;
}

export interface WorkerExit extends WorkerInfo {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** message of the last error that the worker reported */
  readonly error?: string;
}

export interface MasterEvents {
  'ready': [{ addresses: readonly BoundAddress[] }];
  'worker:spawned': [WorkerInfo];
  'worker:ready': [WorkerInfo];
  /** it stops accepting; it accepts again */
  'worker:standby': [WorkerInfo];
  'worker:resumed': [WorkerInfo];
  'worker:retiring': [WorkerInfo];
  'worker:exit': [WorkerExit];
  'reload:started': [{ generation: number }];
  /** the new generation serves alone; workers of the old one may be on standby, or finish their requests */
  'reload:live': [Pick<ReloadResult, 'generation' | 'durationMs' | 'replaced'>];
  'reload:done': [ReloadResult];
  'reload:failed': [{ generation: number; error: ReloadError }];
  'scale': [ScaleChange];
  'scale:done': [ScaleResult];
  'scale:failed': [ScaleChange & { error: EvyError }];
  'upgrade:started': [{ pid: number | undefined }];
  /** a new master serves; 'stopping' and 'stopped' of this one follow */
  'upgrade:done': [UpgradeResult];
  'upgrade:failed': [{ error: EvyError }];
  /** a step of a reload, a scaling or a stop */
  'progress': [Progress];
  'stopping': [];
  'stopped': [StopResult];
}

/** Emits one event. Listeners run after the command that caused it is done, never in the middle of it. */
export type Emit = <Name extends keyof MasterEvents>(name: Name, ...values: MasterEvents[Name]) => void;
