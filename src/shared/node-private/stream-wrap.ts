/**
 * libuv's streams as Node binds them for net.Socket: `process.binding('stream_wrap')`, and the methods of a handle.
 * `process.binding` is deprecated, and Node's permission model refuses it. Fallback: sockets and their streams.
 */
import { privateApiIsOff, withoutDeprecations } from './raw.ts';
import type { RawHandle } from './raw.ts';

/** A pending write or shutdown. */
export interface StreamRequest {
  /** called as a method of the request */
  oncomplete?: (status: number) => void;
}

/** Methods return 0 or a negative errno. */
export interface StreamHandle extends RawHandle {
  /** called as a method of the handle; the result is in `streamBaseState` */
  onread: () => void;
  readonly bytesRead: number;
  useUserBuffer(buffer: Buffer): void;
  writeLatin1String(request: StreamRequest, text: string): number;
  writeBuffer(request: StreamRequest, bytes: Buffer): number;
  writev(request: StreamRequest, parts: readonly Buffer[], areBuffers: true): number;
  shutdown(request: StreamRequest): number;
  close(closed?: () => void): void;
  /** TCP only: closes with RST */
  reset?(closed: () => void): number;
}

export interface StreamWrap {
  readonly WriteWrap: new () => StreamRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  /** results of the last call on any stream */
  readonly streamBaseState: Int32Array;
  /** index in `streamBaseState`: bytes read, or a negative errno */
  readonly kReadBytesOrError: number;
  /** index in `streamBaseState`: whether the last write is pending */
  readonly kLastWriteWasAsync: number;
}

function find(): StreamWrap | undefined {
  try {
    const { binding } = process as unknown as { binding(this: void, name: string): Partial<StreamWrap> };
    const found = withoutDeprecations(() => binding('stream_wrap'));
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found;
    if (typeof WriteWrap !== 'function' || typeof ShutdownWrap !== 'function') return undefined;
    if (!(streamBaseState instanceof Int32Array)) return undefined;
    if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return undefined;
    return { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}

let wrap: StreamWrap | undefined | 'unknown' = 'unknown';

/** Undefined where the binding is missing, or was disabled. */
export function streamWrap(): StreamWrap | undefined {
  if (wrap === 'unknown') wrap = find();
  return privateApiIsOff() ? undefined : wrap;
}

/** Disables this part after its probe failed. */
export function giveUpStreamWrap(): void {
  wrap = undefined;
}

const methods = [
  'useUserBuffer',
  'writeLatin1String',
  'writeBuffer',
  'writev',
  'shutdown',
  'readStart',
  'readStop',
] as const;

export function isStreamHandle(handle: object): handle is StreamHandle {
  return methods.every((name) => typeof (handle as Partial<StreamHandle>)[name] === 'function');
}
