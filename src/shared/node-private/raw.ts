/**
 * The parts of sockets and servers that Node does not document, as far as they are used here, and the switch that
 * disables their use.
 */
import type net from 'node:net';

/** `_handle` of a net.Socket or net.Server: libuv's TCP or pipe. Methods return 0 or a negative errno. */
export interface RawHandle {
  readonly fd: number;
  open(fd: number): number;
  listen(backlog: number): number;
  readStart(): number;
  readStop(): number;
  close(): void;
  /** whether Node takes the handle to be reading */
  reading?: boolean;
  /** bytes that libuv has not written yet */
  readonly writeQueueSize?: number;
  /** TCP only */
  setNoDelay?(on: boolean): number;
  /** TCP only */
  getsockname?(into: object): number;
  /** TCP only */
  getpeername?(into: object): number;
  onconnection?: (status: number, client?: RawHandle) => void;
}

export function privateApiIsOff(): boolean {
  return process.env['EVY_PRIVATE_API'] === 'off';
}

/** Makes a call without the deprecation warning of Node, which an operator could not act on. */
export function withoutDeprecations<T>(call: () => T): T {
  const { noDeprecation = false } = process;
  // The flag --no-deprecation makes it true and read-only.
  if (noDeprecation) return call();
  process.noDeprecation = true;
  try {
    return call();
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** The handle of a socket; undefined once it is closed. */
export function rawHandleOf(socket: net.Socket): RawHandle | undefined {
  return (socket as unknown as { _handle: RawHandle | null })._handle ?? undefined;
}
