/**
 * Guards the channel to a child process, so that no message of the child can end this process. Node reads the channel
 * in `onread` of its handle and passes each message to `emit` of the ChildProcess as 'message' or 'internalMessage'; an
 * exception in either would be uncaught. Private API: the event's name, that `emit` is called as a property, and the
 * handle behind the symbol `kChannelHandle`. Fallback without the handle: only bytes that are not JSON stay unguarded.
 */
import type { ChildProcess } from 'node:child_process';
import { privateApiIsOff } from './raw.ts';

/** The limit of a message in bytes, exceeded by at most one read. Messages of evy are much shorter. */
const longestMessage = 64 << 20;
const newline = 10;

export interface ChannelWatch {
  /** Returns whether an internal message is passed to Node. @throws {Error} when the child should not have sent it */
  admit(message: unknown): boolean;
  /** Called once, when the child has sent something invalid. All its later messages are ignored. */
  onFault(thrown: unknown): void;
}

type Emit = (event: string | symbol, ...values: unknown[]) => boolean;

interface ChannelHandle {
  onread: (this: ChannelHandle, bytes: ArrayBuffer | undefined) => void;
  /** the handle that came with the bytes being read */
  pendingHandle?: unknown;
}

/** Closes a handle that came with a rejected message, which would otherwise stay open. */
export function closeHandle(handle: unknown): void {
  const { close, destroy } = (handle ?? {}) as { close?: () => void; destroy?: () => void };
  try {
    if (typeof destroy === 'function') destroy.call(handle);
    else if (typeof close === 'function') close.call(handle);
  } catch {
    // It was closed before, or never open.
  }
}

function channelHandleOf(child: ChildProcess): ChannelHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  const handle = symbol && (child as unknown as Record<symbol, Partial<ChannelHandle> | null>)[symbol];
  return typeof handle?.onread === 'function' ? (handle as ChannelHandle) : undefined;
}

/** Guards a newly forked child process. */
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
    // When the child ends, node:cluster processes its outstanding requests and may throw because of earlier messages.
    if (!isMessage && event !== 'disconnect' && event !== 'exit') return emit(event, ...values);
    try {
      if (isMessage && isFaulty) throw new Error('nothing more is taken');
      return isInternal && !watch.admit(values[0]) ? true : emit(event, ...values);
    } catch (thrown) {
      // The error does not concern the last message, and the child has ended already.
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
  /** bytes of the message that is being received */
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
