/**
 * A guard around the channel to a child process, so that nothing the child sends ends this process. Node reads the channel
 * in `onread` of its handle, and passes each message on through `emit` of the ChildProcess as 'message' or 'internalMessage'; an
 * exception in either of them is an uncaught one. Private are the event's name, that `emit` is called as a property, and the handle behind
 * the symbol `kChannelHandle`. Where there is no such handle, only bytes that are no JSON go unguarded.
 */
import type { ChildProcess } from 'node:child_process';
import { privateApiIsOff } from './raw.ts';

/** The longest message that is read, in bytes, give or take what comes in one piece. Those of evy are shorter by far. */
const longestMessage = 64 << 20;
const newline = 10;

export interface ChannelWatch {
  /** Whether an internal message goes on to Node. @throws {Error} when the child should not have sent it */
  admit(message: unknown): boolean;
  /** called once: it has sent what could not be taken; from then on nothing that it sends is */
  onFault(thrown: unknown): void;
}

type Emit = (event: string | symbol, ...values: unknown[]) => boolean;

interface ChannelHandle {
  onread: (this: ChannelHandle, bytes: ArrayBuffer | undefined) => void;
  /** what came with the bytes that are read now */
  pendingHandle?: unknown;
}

/** What came with a message and nobody takes: it would stay open for ever. */
export function closeHandle(handle: unknown): void {
  const { close, destroy } = (handle ?? {}) as { close?: () => void; destroy?: () => void };
  try {
    if (typeof destroy === 'function') destroy.call(handle);
    else if (typeof close === 'function') close.call(handle);
  } catch {
    // closed before, or never open
  }
}

function channelHandleOf(child: ChildProcess): ChannelHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  const handle = symbol && (child as unknown as Record<symbol, Partial<ChannelHandle> | null>)[symbol];
  return typeof handle?.onread === 'function' ? (handle as ChannelHandle) : undefined;
}

/** Guards a child process that was just forked: nothing that it sends ends this process. */
export function guardChannel(child: ChildProcess, watch: ChannelWatch): void {
  let isFaulty = false;
  const fail = (thrown: unknown): void => {
    if (isFaulty) return;
    isFaulty = true;
    watch.onFault(thrown);
  };

  const emit = child.emit.bind(child) as Emit;
  const guardedEmit: Emit = (event, ...values) => {
    const isInternal = event === 'internalMessage';
    const isMessage = isInternal || event === 'message';
    // At the child's end node:cluster takes stock of what it has asked for, which may be wrong after what it sent.
    if (!isMessage && event !== 'disconnect' && event !== 'exit') return emit(event, ...values);
    try {
      if (isMessage && isFaulty) throw new Error('nothing more is taken');
      return isInternal && !watch.admit(values[0]) ? true : emit(event, ...values);
    } catch (thrown) {
      // That does not hang on what was sent last, and nothing of the child is left to be ended for it.
      if (!isMessage) process.emitWarning(thrown as Error);
      else {
        closeHandle(values[1]);
        fail(thrown);
      }
      return true;
    }
  };
  child.emit = guardedEmit as typeof child.emit;

  const channel = privateApiIsOff() ? undefined : channelHandleOf(child);
  if (channel === undefined) return;
  const { onread } = channel;
  /** bytes of the message that has begun */
  let begun = 0;
  channel.onread = function guardedRead(bytes) {
    try {
      if (bytes !== undefined) {
        if (isFaulty) throw new Error('nothing more is read');
        begun = new Uint8Array(bytes).includes(newline) ? 0 : begun + bytes.byteLength;
        if (begun > longestMessage) throw new Error(`it sent a message of more than ${longestMessage >> 20} MiB`);
      }
      onread.call(this, bytes);
    } catch (thrown) {
      closeHandle(this.pendingHandle);
      this.pendingHandle = null;
      fail(thrown);
    }
  };
}
