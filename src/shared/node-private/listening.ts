/**
 * Listening sockets that this process does not poll, servers on inherited sockets, and a gate that pauses accepting.
 *
 * TCP needs only documented calls. `net.BoundSocket` binds without listening (Node 24.21 and 26.10; before that,
 * private `net._createServerHandle`). A net.Socket is made for the descriptor, and a server listens on that socket: its
 * `pause()` and `resume()` then stop and start the polling of the descriptor, hence accepting. That is a side effect of
 * libuv, so it is probed before it is used. The socket has an `onread` buffer, since `pause()` takes effect immediately
 * only with one.
 *
 * Unix sockets need more: a server takes only the handle of a TCP socket, and in a node:cluster worker `listen({ fd })`
 * asks the primary to open that number. Private API: `net._createServerHandle`, `server._listen2`, and readStart and
 * readStop of the handle. These fail unless the handle is marked readable, which `open(fd)` does. A handle made by
 * net.Server.listen(path) is not marked (readStart returns ENOTCONN) and cannot be marked once polled.
 *
 * Fallback: the master accepts with a plain net.Server and sends each connection to a worker.
 */
import net from 'node:net';
import { nodeUtil } from '../lazy-node.ts';
import { privateApiIsOff, withoutDeprecations } from './raw.ts';
import type { RawHandle } from './raw.ts';
import { trialPath, turns, within } from './trials.ts';

interface PrivateNet {
  readonly _createServerHandle?: (
    this: void,
    hostOrPath: string,
    port: number,
    family: number,
    fd: number,
    flags: number,
  ) => RawHandle | number;
}
interface PublicNet {
  readonly BoundSocket?: new (where: { host: string; port: number }) => { fd(): number };
}
interface PrivateServer {
  _handle: RawHandle | null;
  _listen2?: (address: null, port: number, family: number, backlog: number) => void;
}

export type TcpTarget = { kind: 'tcp'; address: string; port: number; family: 4 | 6 };
export type ListenTarget =
  | TcpTarget
  /** `onBound` runs after bind and before listen, when no client can connect yet, to set the file's mode */
  | { kind: 'unix'; path: string; onBound?: () => void }
  /** an inherited descriptor, bound or already listening */
  | { kind: 'fd'; fd: number };

/** A listening socket from which this process does not accept. */
export interface UnpolledSocket {
  readonly kind: 'tcp' | 'unix';
  readonly fd: number;
  /** TCP only */
  readonly address?: { address: string; port: number };
  /** Closes the descriptor. libuv removes a unix socket's file when this process bound it. */
  close(): void;
  /** Makes a server of this process accept from the socket; the server then owns the descriptor. */
  serve(server: net.Server, backlog: number): Promise<void>;
}

export interface AcceptGate {
  pause(): void;
  resume(): void;
}

function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = nodeUtil().getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}

function check(errno: number, syscall: string): void {
  if (errno !== 0) throw systemError(errno, syscall);
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

// ---- TCP

/**
 * Makes a socket for a listening descriptor, or one that will listen. The caller must pause it, or listen on it, in the
 * same turn of the event loop.
 */
function socketOn(fd: number): net.Socket {
  const options = { fd, onread: { buffer: Buffer.alloc(1), callback: () => true } };
  const socket = new net.Socket(options);
  socket.on('error', () => {});
  return socket;
}

/** Undefined for a unix socket. */
function tcpAddressOf(socket: net.Socket): { address: string; port: number } | undefined {
  const { address, port } = socket.address() as Partial<net.AddressInfo>;
  return address === undefined || port === undefined ? undefined : { address, port };
}

/**
 * The objects that sockets were bound with. They are never closed: another handle has the same descriptor and closes
 * it, and a second close could hit an unrelated descriptor of that number.
 */
const binders: unknown[] = [];

/** Returns the descriptor of a bound socket that does not listen yet and is not polled. */
function bindTcp({ address, port, family }: TcpTarget): number {
  const { BoundSocket } = net as PublicNet;
  if (BoundSocket !== undefined) {
    const bound = new BoundSocket({ host: address, port });
    binders.push(bound);
    return bound.fd();
  }
  const handle = createHandle(address, port, family);
  // getsockname() reports the error that libuv delays at bind.
  const errno = handle.getsockname?.({}) ?? 0;
  if (errno !== 0) handle.close();
  check(errno, 'bind');
  binders.push(handle);
  return handle.fd;
}

/** The socket that each server listens on, which serves as its gate. */
const socketsOfServers = new WeakMap<net.Server, net.Socket>();

function listenOnSocket(server: net.Server, socket: net.Socket, backlog: number): Promise<void> {
  const listening = started(server);
  socketsOfServers.set(server, socket);
  server.listen(socket, backlog);
  return listening;
}

async function holdTcp(
  socket: net.Socket,
  fd: number,
  address: { address: string; port: number },
  backlog: number,
): Promise<UnpolledSocket> {
  // The holder should accept nothing. If it does after all, it closes the connection so that the client does not wait
  // forever.
  const holder = net.createServer((connection) => connection.destroy());
  const listening = listenOnSocket(holder, socket, backlog);
  socket.pause();
  await listening;
  let owner = holder;
  const serve = (server: net.Server, queue: number): Promise<void> => {
    owner = server;
    const served = listenOnSocket(server, socket, queue);
    // Before the event 'listening', whose listeners may pause it again.
    socket.resume();
    return served;
  };
  return { kind: 'tcp', fd, address, close: () => void owner.close(), serve };
}

// ---- unix sockets

function createHandle(hostOrPath: string, port: number, family: number): RawHandle {
  const { _createServerHandle: create } = net as PrivateNet;
  if (create === undefined) throw new Error('this Node has no net._createServerHandle');
  const handle = create(hostOrPath, port, family, -1, 0);
  if (typeof handle === 'number') throw systemError(handle, 'bind');
  return handle;
}

/** Makes the handle listen without being polled. */
function holdUnix(handle: RawHandle, backlog: number): UnpolledSocket {
  handle.onconnection = (_status, connection) => connection?.close();
  check(handle.listen(backlog), 'listen');
  check(handle.readStart(), 'listen');
  check(handle.readStop(), 'listen');
  const serve = (server: net.Server, queue: number) => listenOnHandle(server, handle, queue);
  return { kind: 'unix', fd: handle.fd, close: () => handle.close(), serve };
}

function bindUnix(path: string, onBound: (() => void) | undefined, backlog: number): UnpolledSocket {
  const handle = createHandle(path, -1, -1);
  try {
    onBound?.();
    // open() with its own descriptor marks the handle readable: without it readStop would do nothing.
    check(handle.open(handle.fd), 'open');
    return holdUnix(handle, backlog);
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Does for a unix socket what `server.listen(socket)` does for TCP. */
function listenOnHandle(server: net.Server, handle: RawHandle, backlog: number): Promise<void> {
  const listening = started(server);
  const inside = server as unknown as PrivateServer;
  if (inside._listen2 === undefined) throw new Error('net.Server has no _listen2');
  inside._handle = handle;
  withoutDeprecations(() => inside._listen2!(null, -1, -1, backlog));
  return listening;
}

// ---- both

/** Rejects with the code of bind(2) or listen(2). */
export async function listenUnpolled(target: ListenTarget, backlog: number): Promise<UnpolledSocket> {
  if (target.kind === 'unix') return bindUnix(target.path, target.onBound, backlog);
  const fd = target.kind === 'fd' ? target.fd : bindTcp(target);
  const socket = socketOn(fd);
  const address = tcpAddressOf(socket);
  if (address !== undefined) return holdTcp(socket, fd, address, backlog);
  return holdUnix(pausedHandle(socket), backlog);
}

function pausedHandle(socket: net.Socket): RawHandle {
  socket.pause();
  return (socket as unknown as { _handle: RawHandle })._handle;
}

/** Returns whether a descriptor is a TCP socket; otherwise it is a unix socket. The descriptor is not changed. */
export function isTcp(fd: number): boolean {
  const socket = socketOn(fd);
  socket.pause();
  return tcpAddressOf(socket) !== undefined;
}

/** Makes `server` accept from an inherited listening socket; resolves once it does. Workers call this. */
export async function attachListening(server: net.Server, fd: number, backlog: number): Promise<void> {
  const socket = socketOn(fd);
  if (tcpAddressOf(socket) === undefined) return listenOnHandle(server, pausedHandle(socket), backlog);
  return listenOnSocket(server, socket, backlog);
}

/** Pauses and resumes accepting on a listening server; undefined where that is not possible. */
export function acceptGate(server: net.Server): AcceptGate | undefined {
  const socket = socketsOfServers.get(server);
  if (socket !== undefined && server.listening) {
    // The server may have been closed in between.
    return {
      pause: () => void (server.listening && socket.pause()),
      resume: () => void (server.listening && socket.resume()),
    };
  }
  if (privateApiIsOff()) return undefined;
  const handle = (server as unknown as PrivateServer)._handle;
  if (typeof handle?.readStart !== 'function' || typeof handle.readStop !== 'function') return undefined;
  // The handle is being polled already, so a successful readStart() changes nothing.
  if (handle.readStart() !== 0) return undefined;
  // The server may have been closed in between: its handle is null then.
  const current = () => (server as unknown as PrivateServer)._handle;
  return { pause: () => void current()?.readStop(), resume: () => void current()?.readStart() };
}

// ---- trials

/**
 * Checks that a connection is not accepted while nothing polls the socket or the gate is closed, and is accepted
 * otherwise.
 */
async function tryUnpolled(target: ListenTarget): Promise<void> {
  const clients: net.Socket[] = [];
  const held = await listenUnpolled(target, 8);
  const connect = async () => {
    const client = target.kind === 'unix' ? net.connect(target.path) : net.connect(held.address!.port, '127.0.0.1');
    clients.push(client.resume());
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await turns();
  };
  let accepted = 0;
  const hasAccepted = (count: number) => accepted === count;
  const server = net.createServer((socket) => {
    accepted += 1;
    socket.destroy();
  });
  const accepts = (what: string) => {
    const connection = new Promise<void>((resolve, reject) => {
      server.once('connection', () => resolve());
      clients.at(-1)!.once('close', () => reject(new Error('pausing a socket does not stop it from accepting')));
    });
    return within(connection, `${what} accepted nothing`);
  };
  let close = () => held.close();
  try {
    await connect();
    if (clients[0]!.closed) throw new Error('pausing a socket does not stop it from accepting');
    await held.serve(server, 8);
    close = () => void server.close();
    await accepts('a server on an unpolled socket');
    const gate = acceptGate(server);
    if (gate === undefined) throw new Error('accepting cannot be paused');
    gate.pause();
    await connect();
    if (!hasAccepted(1)) throw new Error('pausing a server does not stop it from accepting');
    gate.resume();
    await accepts('a resumed server');
  } finally {
    for (const client of clients) client.destroy();
    close();
  }
}

/** Checks that TCP sockets can be inherited here. @throws {Error} with the reason when they cannot */
export async function tryTcp(): Promise<void> {
  if ((net as PublicNet).BoundSocket === undefined) {
    if (privateApiIsOff()) throw new Error('EVY_PRIVATE_API=off, and this Node has no net.BoundSocket');
    if ((net as PrivateNet)._createServerHandle === undefined)
      throw new Error('this Node has neither net.BoundSocket nor net._createServerHandle');
  }
  await tryUnpolled({ kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 });
}

/** The same for unix sockets. */
export async function tryUnix(): Promise<void> {
  if (privateApiIsOff()) throw new Error('EVY_PRIVATE_API=off');
  if ((net.Server.prototype as unknown as PrivateServer)._listen2 === undefined)
    throw new Error('net.Server has no _listen2');
  await tryUnpolled({ kind: 'unix', path: trialPath() });
}
