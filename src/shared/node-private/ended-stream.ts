/** A stream that has told its end, as it was before. Private is `_readableState.endEmitted`. Fallback: the end is told once more. */
import type { Readable } from 'node:stream';
import { privateApiIsOff } from './raw.ts';

/**
 * Lets a stream that has emitted 'end' be read by somebody else: `rest`, and then the end. Without private API it is told to those who
 * listen in this turn.
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
