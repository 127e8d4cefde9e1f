/**
 * The end of the process by process.exit(): ours is announced here, so that any other one is the application's. That takes the
 * worker down in the middle of its work, whatever its code, and nothing but what is written at once is ever known of it.
 */
import type { Running } from './boot.ts';
import { sendToMaster } from './master-channel.ts';

/** requests that the master is told of: as many as surely fit into the channel at once */
const mostRequests = 100;

let isOurs = false;

export function endProcess(code: number): never {
  isOurs = true;
  process.exit(code);
}

/** An Error whose stack is the caller's; without one when the process ended because there was nothing left to do. */
function exitError(code: number): Error {
  const error = new Error(`process.exit(${code}) was called`);
  // As it is now: an application may have put a function of its own in its place.
  Error.captureStackTrace(error, Reflect.get(process, 'exit'));
  return error;
}

/** `tell` must be synchronous: nothing else happens any more. */
export function onForeignExit(tell: (error: Error) => void): void {
  process.on('exit', (code) => {
    if (!isOurs) tell(exitError(code));
  });
}

/** Writes and tells what is under way. Of a crash that was on its way out the master knows. */
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
