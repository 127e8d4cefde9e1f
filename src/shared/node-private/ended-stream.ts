/**
 * Lets a stream that has emitted 'end' be read again. Private API: `_readableState.endEmitted`. Fallback: 'end' is
 * emitted a second time.
 */
import type { Readable } from 'node:stream';
import { privateApiIsOff } from './raw.ts';

/**
 * Makes a stream that has emitted 'end' deliver `rest` and then 'end' to a new reader. Without private API both are
 * emitted to the listeners of this turn of the event loop.
 */
export function readAgain(stream: Readable, rest: Buffer | undefined): void {
  const { _readableState: state } = stream as unknown as { _readableState?: { endEmitted?: boolean } };
  if (privateApiIsOff() || state?.endEmitted !== true) {
    process.nextTick(() => {
      if (stream.destroyed) return;
      if (rest !== undefined && rest.length > 0) stream.emit('data', rest);
      stream.emit('end');
    });
    return;
  }
  state.endEmitted = false;
  if (rest !== undefined && rest.length > 0) stream.unshift(rest);
}
