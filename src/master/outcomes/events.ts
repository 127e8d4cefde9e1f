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

/** Identifies a worker in events. */
export interface WorkerInfo {
  /** a number that rises with each worker of this master */
  readonly worker: number;
  readonly pid: number | undefined;
  readonly generation: number;
}

/** The exit of a worker: an exit code or a signal. */
export interface WorkerExit extends WorkerInfo {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** message of the last error that the worker reported */
  readonly error?: string;
}

/** The events of a master, each with its arguments. */
export interface MasterEvents {
  /** the first workers serve on these addresses */
  'ready': [{ addresses: readonly BoundAddress[] }];
  /** a worker process was started; then it is ready, is told to drain, and exits */
  'worker:spawned': [WorkerInfo];
  'worker:ready': [WorkerInfo];
  /** it stops accepting; it accepts again */
  'worker:standby': [WorkerInfo];
  'worker:resumed': [WorkerInfo];
  'worker:retiring': [WorkerInfo];
  'worker:exit': [WorkerExit];
  /** the first worker of a new generation was started */
  'reload:started': [{ generation: number }];
  /** the new generation serves alone; workers of the old one may be on standby, or finish their requests */
  'reload:live': [Pick<ReloadResult, 'generation' | 'durationMs' | 'replaced'>];
  /** the last old worker has exited */
  'reload:done': [ReloadResult];
  'reload:failed': [{ generation: number; error: ReloadError }];
  /** the wanted number of workers has changed */
  'scale': [ScaleChange];
  'scale:done': [ScaleResult];
  'scale:failed': [ScaleChange & { error: EvyError }];
  'upgrade:started': [{ pid: number | undefined }];
  /** a new master serves; 'stopping' and 'stopped' of this one follow */
  'upgrade:done': [UpgradeResult];
  'upgrade:failed': [{ error: EvyError }];
  /** a step of a reload, a scaling or a stop */
  'progress': [Progress];
  /** the master was told to stop; later all workers have exited */
  'stopping': [];
  'stopped': [StopResult];
}

/** Emits one event. Listeners run after the command that caused it is done, never in the middle of it. */
export type Emit = <Name extends keyof MasterEvents>(name: Name, ...values: MasterEvents[Name]) => void;
