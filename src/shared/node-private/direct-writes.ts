/**
 * Writing text to a socket past the queue of its stream: one call into libuv, which tries write(2) at once and says whether
 * the kernel took all of it. A stream says that in the next tick, with a request object for each write; here one serves all
 * writes that need not wait. Fallback: `write()` of the stream.
 */
import type net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import type { RawHandle } from './raw.ts';

/** What libuv's write hangs on when it has to wait; until then an empty object. */
interface WriteRequest {
  oncomplete?: (status: number) => void;
}

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** what the last call on any stream left behind */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/** Whoever writes. */
export interface Writer {
  /** A write that had to wait has been done. */
  written(): void;
}

interface WritingHandle extends RawHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

/** `process.binding` is deprecated but there, which whoever runs a server need not hear; with Node's permission model it throws. */
function findStreamWrap(): StreamWrap | undefined {
  if (privateApiIsOff()) return undefined;
  const { noDeprecation = false } = process;
  process.noDeprecation = true;
  try {
    const { binding } = process as unknown as { binding(this: void, name: string): Partial<StreamWrap> };
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding('stream_wrap');
    const isKnown = typeof WriteWrap === 'function' && streamBaseState instanceof Int32Array;
    if (!isKnown || typeof kLastWriteWasAsync !== 'number') return undefined;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return undefined;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

let wrap: StreamWrap | undefined | 'unknown' = 'unknown';
/** of a write that needed none */
let spare: WriteRequest | undefined;

/** Whether `writeDirectly` works on this socket: not on TLS, which has its own handle and its own idea of when bytes have left. */
export function writesDirectly(socket: net.Socket): boolean {
  if (wrap === 'unknown') wrap = findStreamWrap();
  if (wrap === undefined || 'encrypted' in socket) return false;
  return typeof (rawHandleOf(socket) as Partial<WritingHandle> | undefined)?.writeLatin1String === 'function';
}

/**
 * Hands latin-1 text to the kernel, where `writesDirectly`. Returns true when it took all at once; otherwise `writer` is told when it
 * has, unless the socket is destroyed before. For a stream that has nothing to write itself.
 */
export function writeDirectly(socket: net.Socket, text: string, writer: Writer): boolean {
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = wrap as StreamWrap;
  const handle = rawHandleOf(socket) as WritingHandle | undefined;
  if (handle === undefined) return false;
  const request = spare ?? new WriteWrap();
  const errno = handle.writeLatin1String(request, text);
  if (errno === 0 && streamBaseState[kLastWriteWasAsync] === 0) {
    spare = request;
    return true;
  }
  spare = undefined;
  if (errno !== 0) socket.destroy(writeError(errno));
  else {
    request.oncomplete = (status) => {
      if (status < 0) socket.destroy(writeError(status));
      else if (!socket.destroyed) writer.written();
    };
  }
  return false;
}

function writeError(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { code, errno, syscall: 'write' });
}
