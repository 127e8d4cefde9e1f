/** Determines why a worker died: the error in its log line, in a failed reload or in a failed start. */
import { EvyError } from '../../shared/errors.ts';
import { handledSignals } from '../../shared/held-signals.ts';
import { formatDuration } from '../../shared/options/units.ts';
import type { WorkerEnd } from './process.ts';
import type { Failure, WorkerRecord } from './worker-record.ts';
import type { EndReason } from './worker.ts';

/** The facts about a worker that tell why it died. */
export interface DeadWorker {
  readonly record: Pick<WorkerRecord, 'failure' | 'bootStep'>;
  readonly endReason: EndReason | undefined;
  readonly generation: { readonly options: { readonly bootTimeoutMs: number } };
}

function describeEnd({ code, signal }: WorkerEnd): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? 'it could not be started' : `exit code ${code}`;
}

/** An Error with the stack that was taken in the worker. */
function errorFromWorker({ message, stack }: Failure): Error {
  const error = new Error(message);
  error.stack = stack ?? message;
  return error;
}

/** workers in a row of one place whose early end by a signal does not count against their release */
const mostHitEarly = 3;

/**
 * Whether a signal ended a worker before it handled signals: Node takes a moment until it runs the first line of a
 * program. Such a signal was meant for the whole process group, or for a worker that is to be replaced, so it does not
 * count against the application.
 */
export function wasHitEarly(
  { record, streak }: { readonly record: Pick<WorkerRecord, 'saidHello'>; readonly streak: number },
  { signal }: Pick<WorkerEnd, 'signal'>,
): boolean {
  return !record.saidHello && streak < mostHitEarly && handledSignals.some((handled) => handled === signal);
}

/** Returns the error of a worker that did not become ready, or did not stay up. */
export function deathError({ record, endReason, generation }: DeadWorker, end: WorkerEnd): EvyError {
  const { failure, bootStep } = record;
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
