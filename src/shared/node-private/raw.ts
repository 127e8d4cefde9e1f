/** What Node hides behind sockets and servers, as far as we touch it, and the switch that turns all of that off. */
import type net from 'node:net';

/** What `_handle` of a net.Socket or net.Server is: libuv's TCP or pipe. Methods return 0 or a negative errno. */
export interface RawHandle {
  readonly fd: number;
  open(fd: number): number;
  listen(backlog: number): number;
  readStart(): number;
  readStop(): number;
  close(): void;
  /** whether Node believes that it is being read */
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

/** Runs a call that Node may print a warning about: whoever runs a server need not see it. */
export function withoutDeprecations<T>(call: () => T): T {
  const { noDeprecation = false } = process;
  // With the flag --no-deprecation it is true, and cannot be assigned.
  if (noDeprecation) return call();
  process.noDeprecation = true;
  try {
    return call();
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** The handle of a socket that is open. */
export function rawHandleOf(socket: net.Socket): RawHandle | undefined {
  return (socket as unknown as { _handle: RawHandle | null })._handle ?? undefined;
}
