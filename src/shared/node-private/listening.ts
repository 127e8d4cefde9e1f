/**
 * Listening sockets that are not polled, servers on inherited ones, and a gate to stop accepting for a while.
 *
 * TCP needs documented calls only. `net.BoundSocket` binds without listening (Node 24.21 and 26.10; before that, private
 * `net._createServerHandle`). A net.Socket is made for the descriptor, and a server listens on that: `pause()` and `resume()` of the
 * socket then stop and start the polling of the descriptor, hence accepting. That is a side effect of how libuv works, so it is tried
 * before it is relied on. The socket has an `onread` buffer, since `pause()` acts at once only with one.
 *
 * Unix sockets need more: a server takes the handle of a TCP socket only, and in a node:cluster worker `listen({ fd })` asks the
 * primary to open that number. Private are `net._createServerHandle`, `server._listen2`, and the handle with its readStart and readStop.
 * They refuse unless the handle is marked readable, which `open(fd)` does. A handle that net.Server.listen(path) has made is
 * not marked (readStart gives ENOTCONN) and cannot be marked once polled.
 *
 * Fallback: the master accepts with a plain net.Server and hands each connection on.
 */
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
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

/** For a listening descriptor, or one that will be. Whoever makes one pauses it, or listens on it, in the same turn. */
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
 * What a socket was bound with. It is never closed: another handle has the same descriptor and closes it, and closing the number
 * a second time could hit something else.
 */
const binders: unknown[] = [];

/** The descriptor of a socket that is bound, does not listen yet, and is polled by nobody. */
function bindTcp({ address, port, family }: TcpTarget): number {
  const { BoundSocket } = net as PublicNet;
  if (BoundSocket !== undefined) {
    const bound = new BoundSocket({ host: address, port });
    binders.push(bound);
    return bound.fd();
  }
  const handle = createHandle(address, port, family);
  // Brings out the error that libuv keeps back at bind.
  const errno = handle.getsockname?.({}) ?? 0;
  if (errno !== 0) handle.close();
  check(errno, 'bind');
  binders.push(handle);
  return handle.fd;
}

/** The sockets that servers listen on: they are their gates. */
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
  // It accepts nothing. Where it does all the same, a client is not to wait for ever.
  const holder = net.createServer((connection) => connection.destroy());
  const listening = listenOnSocket(holder, socket, backlog);
  socket.pause();
  await listening;
  let owner = holder;
  const serve = async (server: net.Server, queue: number): Promise<void> => {
    owner = server;
    await listenOnSocket(server, socket, queue);
    socket.resume();
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

/** Makes the handle listen; nothing polls it. */
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

/** What `server.listen(socket)` does for TCP, done by hand. */
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

/** Whether a descriptor is a TCP socket; else it is a unix socket. It is left as it was. */
export function isTcp(fd: number): boolean {
  const socket = socketOn(fd);
  socket.pause();
  return tcpAddressOf(socket) !== undefined;
}

/** Makes `server` accept from an inherited listening socket; resolves once it does. For workers. */
export async function attachListening(server: net.Server, fd: number, backlog: number): Promise<void> {
  const socket = socketOn(fd);
  if (tcpAddressOf(socket) === undefined) return listenOnHandle(server, pausedHandle(socket), backlog);
  return listenOnSocket(server, socket, backlog);
}

/** Stops and continues accepting on a listening server; undefined where that is not possible. */
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
  // Accepting goes on as before when this succeeds: it is being polled already.
  if (handle.readStart() !== 0) return undefined;
  // The server may have been closed in between: its handle is null then.
  const current = () => (server as unknown as PrivateServer)._handle;
  return { pause: () => void current()?.readStop(), resume: () => void current()?.readStart() };
}

// ---- trials

/** A connection is left alone while nothing polls the socket, and while the gate is closed, and is accepted else. */
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

/** Why TCP sockets cannot be inherited here is the message of what this throws. */
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
