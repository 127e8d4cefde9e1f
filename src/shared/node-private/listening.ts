/**
 * Listening sockets that are not polled, servers on inherited ones, and a gate to stop accepting for a while. Private are
 * `net._createServerHandle`, `server._listen2`, and the handle of a server with its readStart and readStop.
 *
 * How the gate works: libuv polls a listening handle as it polls a reading one, and readStart/readStop switch that. They
 * refuse unless the handle is marked readable, which `open(fd)` does. A handle that net.Server.listen(port) has made is not marked
 * (readStart gives ENOTCONN) and cannot be marked once polled; inherited descriptors and `listenUnpolled` handles are.
 */
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { privateApiIsOff } from './raw.ts';
import type { RawHandle } from './raw.ts';

interface PrivateNet {
  _createServerHandle(
    this: void,
    hostOrPath: string,
    port: number,
    family: number,
    fd: number,
    flags: number,
  ): RawHandle | number;
}
interface PrivateServer {
  _handle: RawHandle | null;
  _listen2(address: null, port: number, family: number, backlog: number): void;
}

export type ListenTarget =
  | { kind: 'tcp'; address: string; port: number; family: 4 | 6 }
  /** `onBound` runs while the file exists but takes no connection yet: the moment to set its mode */
  | { kind: 'unix'; path: string; onBound?: () => void }
  /** inherited, bound or already listening */
  | { kind: 'fd'; fd: number };

/** A socket that listens and from which this process does not accept. */
export interface UnpolledSocket {
  readonly kind: 'tcp' | 'unix';
  readonly fd: number;
  /** TCP only */
  readonly address?: { address: string; port: number };
  /** Closes the descriptor; a unix socket's file is removed by libuv when this process bound it. */
  close(): void;
  /** Makes a server of this process accept from it; the server then owns the descriptor. */
  serve(server: net.Server, backlog: number): Promise<void>;
}

export interface AcceptGate {
  pause(): void;
  resume(): void;
}

function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}

function check(errno: number, syscall: string): void {
  if (errno !== 0) throw systemError(errno, syscall);
}

/** The handle of an inherited descriptor, of the right kind. Neither `readable` nor `writable`: so that nothing is read. */
function handleOfFd(fd: number): RawHandle {
  const socket = new net.Socket({ fd, readable: false, writable: false }) as unknown as { _handle: RawHandle };
  return socket._handle;
}

function bindHandle(target: ListenTarget): RawHandle {
  if (target.kind === 'fd') return handleOfFd(target.fd);
  const create = (net as unknown as PrivateNet)._createServerHandle;
  const handle =
    target.kind === 'tcp'
      ? create(target.address, target.port, target.family, -1, 0)
      : create(target.path, -1, -1, -1, 0);
  if (typeof handle === 'number') throw systemError(handle, 'bind');
  return handle;
}

/** @throws {NodeJS.ErrnoException} with the code of bind(2) or listen(2) */
export function listenUnpolled(target: ListenTarget, backlog: number): UnpolledSocket {
  const handle = bindHandle(target);
  try {
    const address: { address?: string; port?: number } = {};
    // Also brings out the error that libuv keeps back at bind.
    if (handle.getsockname) check(handle.getsockname(address), 'bind');
    if (target.kind === 'unix') target.onBound?.();
    // open() with its own descriptor marks the handle readable: without it readStop would do nothing.
    if (target.kind !== 'fd') check(handle.open(handle.fd), 'open');
    check(handle.listen(backlog), 'listen');
    check(handle.readStart(), 'listen');
    check(handle.readStop(), 'listen');
    const kind = handle.getsockname ? 'tcp' : 'unix';
    const close = () => handle.close();
    const { fd } = handle;
    const serve = (server: net.Server, queue: number) => listenOn(server, handle, queue);
    if (kind === 'unix') return { kind, fd, close, serve };
    return { kind, fd, close, serve, address: { address: address.address ?? '', port: address.port ?? 0 } };
  } catch (error) {
    // A descriptor that was given to us stays open: it is not ours.
    if (target.kind !== 'fd') handle.close();
    throw error;
  }
}

/** What `server.listen(socket)` does for TCP, done by hand: for a pipe it would ask the primary for our fd's number. */
function listenOn(server: net.Server, handle: RawHandle, backlog: number): Promise<void> {
  const listening = started(server);
  const inside = server as unknown as PrivateServer;
  inside._handle = handle;
  inside._listen2(null, -1, -1, backlog);
  return listening;
}

function started(server: net.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Makes `server` accept from an inherited listening socket; resolves once it does. For workers. */
export function attachListening(server: net.Server, fd: number, backlog: number): Promise<void> {
  const socket = new net.Socket({ fd, readable: false, writable: false });
  const handle = (socket as unknown as { _handle: RawHandle | undefined })._handle;
  if (handle && !handle.getsockname) return listenOn(server, handle, backlog);
  const listening = started(server);
  server.listen(socket, backlog);
  return listening;
}

/** Stops and continues accepting on a listening server; undefined where that is not possible. */
export function acceptGate(server: net.Server): AcceptGate | undefined {
  if (privateApiIsOff()) return undefined;
  const handle = (server as unknown as PrivateServer)._handle;
  if (typeof handle?.readStart !== 'function' || typeof handle.readStop !== 'function') return undefined;
  // Accepting goes on as before when this succeeds: it is being polled already.
  if (handle.readStart() !== 0) return undefined;
  // The server may have been closed in between: its handle is null then.
  const current = () => (server as unknown as PrivateServer)._handle;
  return { pause: () => void current()?.readStop(), resume: () => void current()?.readStart() };
}

/** A handle with a port on loopback, for trials: node:cluster does not hear of it. */
function bindLoopback(): { handle: RawHandle; port: number } {
  const handle = bindHandle({ kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 });
  const name: { port?: number } = {};
  check(handle.getsockname?.(name) ?? 0, 'bind');
  return { handle, port: name.port! };
}

/** The same, and it accepts. */
export function listenOnLoopback(): { handle: RawHandle; port: number } {
  const bound = bindLoopback();
  check(bound.handle.listen(8), 'listen');
  return bound;
}

/** Whether a connection to an unpolled socket is left alone, and one after readStart is seen. */
export async function tryUnpolled(): Promise<void> {
  if (typeof (net.Server.prototype as unknown as PrivateServer)._listen2 !== 'function')
    throw new Error('net.Server has no _listen2');
  const { handle, port } = bindLoopback();
  const clients: net.Socket[] = [];
  try {
    let accepted = 0;
    handle.onconnection = (_status, client) => {
      accepted += 1;
      client?.close();
    };
    check(handle.open(handle.fd) || handle.listen(8) || handle.readStart() || handle.readStop(), 'listen');
    const client = net.connect(port, '127.0.0.1');
    clients.push(client);
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    if (accepted !== 0) throw new Error('an unpolled socket accepted');
  } finally {
    for (const client of clients) client.destroy();
    handle.close();
  }
}
