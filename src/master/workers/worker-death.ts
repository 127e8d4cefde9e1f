/** Why a worker died, in the words that its log line, a failed reload or a failed start has. */
import { EvyError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/options/units.ts';
import type { EndReason } from './worker.ts';
import type { Failure } from './worker-record.ts';
import type { WorkerEnd } from './worker-process.ts';

/** What of a worker tells why it died. */
export interface Deceased {
  readonly failure: Failure | undefined;
  readonly endReason: EndReason | undefined;
  readonly bootStep: string | undefined;
  readonly generation: { readonly options: { readonly bootTimeoutMs: number } };
}

export function describeEnd({ code, signal }: WorkerEnd): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? 'it could not be started' : `exit code ${code}`;
}

/** An Error with the stack that was taken in the worker. */
function errorFromWorker({ message, stack }: Failure): Error {
  const error = new Error(message);
  error.stack = stack ?? message;
  return error;
}

/** The error of a worker that did not become ready, or did not stay up. */
export function deathError({ failure, endReason, bootStep, generation }: Deceased, end: WorkerEnd): EvyError {
  if (failure?.code !== undefined)
    return new EvyError(failure.code, failure.message, { cause: errorFromWorker(failure) });
  if (endReason === 'boot-timeout') {
    const within = formatDuration(generation.options.bootTimeoutMs);
    const step = bootStep === undefined ? '' : `; it was at: ${bootStep}`;
    return new EvyError(
      'BOOT_TIMEOUT',
      `a worker was not ready within ${within} (option bootTimeout) and was killed${step}`,
    );
  }
  const last = failure === undefined ? '' : `; its last error: ${failure.message}`;
  const message = `a worker ended right after its start: ${describeEnd(end)}${last}`;
  return new EvyError('WORKERS_CANNOT_BOOT', message, failure === undefined ? {} : { cause: errorFromWorker(failure) });
}
