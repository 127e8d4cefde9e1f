/**
 * Detects process.exit() by the application. evy announces its own exits here, so any other is the application's. It
 * ends the worker in the middle of its work, whatever its code, and only what is written synchronously is ever known of
 * it.
 */
import type { Running } from './boot.ts';
import { sendToMaster } from './master-channel.ts';

/** the most requests in a report: as many as certainly fit into the channel at once */
const mostRequests = 100;

let isOurs = false;

export function endProcess(code: number): never {
  isOurs = true;
  process.exit(code);
}

/** An Error with the stack of the caller; without a stack when the process ended because its event loop was empty. */
function exitError(code: number): Error {
  const error = new Error(`process.exit(${code}) was called`);
  // Read at the time of use, since an application may have replaced the function.
  Error.captureStackTrace(error, Reflect.get(process, 'exit'));
  return error;
}

/** `tell` must be synchronous: nothing runs afterwards. */
export function onForeignExit(tell: (error: Error) => void): void {
  process.on('exit', (code) => {
    if (!isOurs) tell(exitError(code));
  });
}

/** Logs and reports active requests. The master knows of a crash that was already being handled. */
export function accountFor(
  { message, stack }: Error,
  running: Pick<Running, 'log' | 'serving'> | undefined,
  isTold: boolean,
): void {
  running?.log.error('worker.crashed', { message, stack });
  running?.serving.lastWords();
  const requests = running?.serving.requestsUnderWay().slice(0, mostRequests);
  if (!isTold) sendToMaster({ type: 'crashed', message, stack, requests });
}
