/** Accepting: a net or TLS server per listening socket whose connections go to one place, and which can be held back. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { Usage } from '../../shared/protocol/guarding.ts';
import type { Logger } from '../../shared/log/log.ts';
import { acceptGate, acceptRaw, isConnectionOver } from '../../shared/node-private/node-private.ts';
import type { LocalEnd, Transport } from '../../shared/node-private/node-private.ts';
import type { Arrival } from './arrival.ts';
import { Handshakes } from './handshakes.ts';
import type { ProxyGate } from '../proxies/proxy-gate.ts';
import { frontOf } from '../proxies/tls-front.ts';
import { StreamTransport } from '../transport/stream-transport.ts';

/** Where accepted connections go: our own HTTP loop, or node:http. */
export interface Acceptor {
  accept(transport: Transport, arrival: Arrival): void;
  /** whether it has a use for connections that are no sockets */
  readonly takesRaw: boolean;
  /** where connections wait for a PROXY header; undefined when none has to send one */
  readonly proxyGate?: ProxyGate | undefined;
}

/** so many may be accepted before it is looked again how many more there may be */
const connectionsPerLook = 8;
/** Time for a client to finish the TLS handshake. */
const handshakeTimeoutMs = 10_000;

/** A server that is not listening yet. The client may shut down its side and still gets its answers. */
export function makeServer(tls: TlsOptions | undefined, acceptor: Acceptor): Server {
  const server = tls === undefined ? makePlainServer(acceptor) : makeTlsServer(tls, acceptor);
  // A connection that cannot be accepted is its client's business. Errors of listening itself reach whoever waits for it.
  server.on('error', () => {});
  return server;
}

function makePlainServer(acceptor: Acceptor): Server {
  const accept = plainAccept(acceptor);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(new StreamTransport(socket)));
  if (acceptor.takesRaw) server.once('listening', () => acceptRaw(server, accept));
  return server;
}

function plainAccept(acceptor: Acceptor): (transport: Transport, local?: LocalEnd) => void {
  const { proxyGate } = acceptor;
  if (proxyGate === undefined) return (transport, local) => acceptor.accept(transport, { scheme: 'http', local });
  return (transport, local) => {
    proxyGate.admit(transport, (told, rest) => acceptor.accept(transport, { scheme: 'http', local, told, rest }));
  };
}

function makeTlsServer(tls: TlsOptions, acceptor: Acceptor): Server {
  const server = createTlsServer({
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    ...tls,
    noDelay: true,
  } as TlsOptions);
  // A client that fails the handshake is no event for anybody but itself.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const { proxyGate } = acceptor;
  // A peer that ends its side in the middle of the handshake will never finish it; only after it may it go on without its own side.
  server.prependListener('connection', (socket: Socket) => void (socket.allowHalfOpen = false));
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
    socket.on('end', destroyIfOver);
  });
  if (proxyGate !== undefined) {
    return frontOf(server, proxyGate, (socket, told) =>
      acceptor.accept(new StreamTransport(socket), { scheme: 'https', told }),
    );
  }
  server.on('secureConnection', (socket) => acceptor.accept(new StreamTransport(socket), { scheme: 'https' }));
  return server;
}

/**
 * To node:tls a reset is no error but an end when a write of its own, such as that of a session ticket, has failed before; and no later
 * write ever calls back. A client that merely ended its side still has its connection.
 */
function destroyIfOver(this: Socket): void {
  if (isConnectionOver(this)) this.destroy();
}

/**
 * Stops accepting while `limit` connections are open, its share of what the whole server may have, or as many as there are descriptors
 * for, TLS handshakes counted, or while it is told to rest, and goes on after that. The connections beyond wait in the kernel's backlog, where another
 * worker may take them.
 */
export class Gatekeeper {
  readonly #servers: readonly Server[];
  readonly #limit: number;
  readonly handshakes: Handshakes;
  #connections = 0;
  #share = Infinity;
  #room: (() => number) | undefined;
  /** as of the last look at what there is room for, and when to look again */
  #most = Infinity;
  #lookAt = Infinity;
  #gates: Array<{ pause(): void; resume(): void }> | undefined;
  #resting = false;
  #closed = false;

  constructor(servers: readonly Server[], limit: number, log: Logger) {
    this.#servers = servers;
    this.#limit = limit;
    this.handshakes = new Handshakes(servers, log);
    this.handshakes.onChange(() => this.#set());
  }

  /** `connections`: those that are served. */
  update(connections: number): void {
    this.#connections = connections;
    this.#set();
  }

  /** How many connections there may be, beside `limit`. */
  allow(share: number): void {
    this.#share = share;
    this.#set();
  }

  /** `room` is asked, with each look and after every few connections, how many more there may be. */
  ask(room: () => number): void {
    this.#room = room;
    this.look();
  }

  look(): void {
    this.#measure();
    this.#set();
  }

  #measure(): void {
    const room = this.#room?.() ?? Infinity;
    const now = this.#connections + this.handshakes.count;
    this.#most = now + room;
    this.#lookAt = now + Math.min(room, connectionsPerLook);
  }

  usage(connections: number): Usage {
    const now = connections + this.handshakes.count;
    const isShort = now >= this.#share && this.#share < Math.min(this.#limit, this.#most) && !this.#resting;
    return { now, wanted: isShort ? now + 1 : now, isShort };
  }

  /** Whether to accept nothing, however few connections there are. */
  rest(resting: boolean): void {
    this.#resting = resting;
    this.#set();
  }

  #set(): void {
    if (this.#connections + this.handshakes.count >= this.#lookAt) this.#measure();
    const most = Math.min(this.#limit, this.#share, this.#most);
    const close = this.#resting || this.#connections + this.handshakes.count >= most;
    if (close === this.#closed) return;
    this.#closed = close;
    this.#gates ??= this.#servers.map((server) => acceptGate(server)).filter((gate) => gate !== undefined);
    for (const gate of this.#gates) {
      if (close) gate.pause();
      else gate.resume();
    }
  }
}

/** Stops listening without touching connections: `http.Server.close()` would end idle ones at once. */
export function stopListening(server: Server): void {
  server.close(() => {});
}
