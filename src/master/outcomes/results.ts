/** The results of reloads, scalings, upgrades and stops, and the progress that they report. */
import { EvyError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { noDepartures } from './operations.ts';
import type { Departures } from './operations.ts';
import type { ReloadPhase } from './reload-phases.ts';

/** The result of a reload, once the last old worker has exited. */
export interface ReloadResult extends Departures {
  readonly generation: number;
  readonly durationMs: number;
  /** workers of the old generation that gave up their place */
  readonly replaced: number;
}

/** The result of a failed reload, with its reason as one line. */
export interface FailedReload extends ReloadResult {
  readonly reason: string;
}

/** A change of the wanted number of workers. */
export interface ScaleChange {
  readonly from: number;
  readonly to: number;
  /** mean share of their time that the workers were busy, 0 to 1, where the load is the reason */
  readonly utilisation?: number;
}

/** The result of a scaling, once the new workers serve and the surplus ones have exited. */
export interface ScaleResult extends Departures {
  readonly from: number;
  readonly to: number;
  readonly durationMs: number;
}

/**
 * The result of an upgrade: the next master serves. This one moves its connections there and stops, which ends with a
 * `StopResult`.
 */
export interface UpgradeResult {
  /** the process id of the new master */
  readonly pid: number;
  readonly durationMs: number;
}

/** The result of a stop, once all workers have exited. */
export interface StopResult extends Departures {
  readonly durationMs: number;
  /** workers that have exited */
  readonly workers: number;
}
export const nothingStopped: StopResult = { durationMs: 0, workers: 0, ...noDepartures };

/** The progress of an operation. */
export type Progress = {
  /** ready workers of the newest generation */
  readonly ready: number;
  /** the wanted number of workers */
  readonly workers: number;
  /** retired workers that still finish their requests */
  readonly leaving: number;
} & (
  | { readonly operation: 'reload'; readonly generation: number; readonly phase: ReloadPhase }
  | { readonly operation: 'scale' | 'stop' }
);

/**
 * The error of a failed reload, with its result so far. `code` is RELOAD_FAILED, RELOAD_ROLLED_BACK or
 * RELOAD_SUPERSEDED; `cause` is the original error.
 */
export class ReloadError extends EvyError {
  readonly result: FailedReload;
  constructor(code: ErrorCode, message: string, result: FailedReload, cause: Error) {
    super(code, message, { cause });
    this.result = result;
  }
}
