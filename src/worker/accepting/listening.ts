/** Accepting: a net or TLS server per listening socket whose connections go to one place, and which can be held back. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { Usage } from '../../shared/protocol/guarding.ts';
import type { Logger } from '../../shared/log/log.ts';
import { acceptGate, acceptRaw, isConnectionOver } from '../../shared/node-private/node-private.ts';
import type { LocalEnd, Transport } from '../../shared/node-private/node-private.ts';
import type { ConnectionFacts, ToldPeer } from '../transport/peer.ts';
import { Handshakes } from './handshakes.ts';
import type { ProxyGate } from '../proxies/proxy-gate.ts';
import { frontOf } from '../proxies/tls-front.ts';
import { StreamTransport } from '../transport/stream-transport.ts';
import { firstToGiveWay } from '../transport/idle.ts';
import type { IdleConnection } from '../transport/idle.ts';
import { Intake } from './intake.ts';

/** Where accepted connections go: our own HTTP loop, or node:http. */
export interface Acceptor {
  accept(transport: Transport, arrival: ConnectionFacts): void;
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
export function makeServer(tls: TlsOptions | undefined, acceptor: Acceptor, intake = new Intake()): Server {
  const server = tls === undefined ? makePlainServer(acceptor, intake) : makeTlsServer(tls, acceptor, intake);
  server.on('connection', intake.noteAccepted);
  // A connection that cannot be accepted is its client's business. Errors of listening itself reach whoever waits for it.
  server.on('error', () => {});
  return server;
}

type AcceptPlain = (transport: Transport, local?: LocalEnd) => void;

function makePlainServer(acceptor: Acceptor, intake: Intake): Server {
  const serve = plainAccept(acceptor);
  const accept: AcceptPlain = (transport, local) => {
    if (intake.holdsBack) intake.keep(transport, () => serve(transport, local));
    else serve(transport, local);
  };
  const acceptHandle: AcceptPlain = (transport, local) => {
    intake.noteAccepted();
    accept(transport, local);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(new StreamTransport(socket)));
  if (acceptor.takesRaw) server.once('listening', () => acceptRaw(server, acceptHandle));
  return server;
}

function plainAccept(acceptor: Acceptor): AcceptPlain {
  const { proxyGate } = acceptor;
  if (proxyGate === undefined) return (transport, local) => acceptor.accept(transport, { scheme: 'http', local });
  return (transport, local) => {
    proxyGate.admit(transport, (told, rest) => acceptor.accept(transport, { scheme: 'http', local, told, rest }));
  };
}

function makeTlsServer(tls: TlsOptions, acceptor: Acceptor, intake: Intake): Server {
  const server = createTlsServer({
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    ...tls,
    noDelay: true,
  } as TlsOptions);
  // A client that fails the handshake is no event for anybody but itself.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const accept = (socket: Socket, told?: ToldPeer): void => {
    const transport = new StreamTransport(socket);
    const serve = (): void => acceptor.accept(transport, { scheme: 'https', told });
    if (intake.holdsBack) intake.keep(transport, serve);
    else serve();
  };
  const { proxyGate } = acceptor;
  // A peer that ends its side in the middle of the handshake will never finish it; only after it may it go on without its own side.
  server.prependListener('connection', (socket: Socket) => void (socket.allowHalfOpen = false));
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
    socket.on('end', destroyIfOver);
  });
  if (proxyGate !== undefined) return frontOf(server, proxyGate, accept);
  server.on('secureConnection', (socket) => accept(socket));
  return server;
}

export interface GatekeeperParts {
  readonly intake?: Intake;
  /** connections that may give way to new ones; undefined where that is not known */
  readonly idle?: () => Iterable<IdleConnection> | undefined;
}

/** While it is full it looks this often whether somebody waits; by then another worker would have accepted him. */
const knockEveryMs = 20;
/** Finding out who may give way takes at most this share of the time. */
const searchShare = 0.05;
/** One new connection needs a descriptor before the one that gives way has returned its own, and so may the process at that moment. */
const descriptorsToSwap = 2;

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
 * worker may take them. If none does, and there is a connection without a request here, one of them is accepted and the longest idle one is closed
 * for it.
 */
export class Gatekeeper {
  readonly #servers: readonly Server[];
  readonly #limit: number;
  readonly handshakes: Handshakes;
  readonly intake: Intake;
  readonly #idle: () => Iterable<IdleConnection> | undefined;
  #connections = 0;
  #share = Infinity;
  #room: (() => number) | undefined;
  #keptDescriptors = 0;
  /** as of the last look at what there is room for, and when to look again */
  #most = Infinity;
  #lookAt = Infinity;
  #gates: Array<{ pause(): void; resume(): void }> | undefined;
  #resting = false;
  #closed = false;
  /** may be accepted above the limit, for a connection that gives way */
  #extra = 0;
  #candidate: IdleConnection | undefined;
  #knock: NodeJS.Timeout | undefined;

  constructor(
    servers: readonly Server[],
    limit: number,
    log: Logger,
    { intake = new Intake(), idle = () => [] }: GatekeeperParts = {},
  ) {
    this.#servers = servers;
    this.#limit = limit;
    this.intake = intake;
    this.#idle = idle;
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

  /** `room` is asked, with each look and after every few connections, how many more there may be, with so many descriptors `kept` free. */
  ask(room: () => number, kept = 0): void {
    this.#room = room;
    this.#keptDescriptors = kept;
    this.look();
  }

  look(): void {
    this.#measure();
    this.#set();
  }

  #measure(): void {
    const room = this.#room?.() ?? Infinity;
    const now = this.#count;
    this.#most = now + room;
    this.#lookAt = now + Math.min(room, connectionsPerLook);
  }

  get #count(): number {
    return this.#connections + this.handshakes.count + this.intake.waiting;
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

  /** It is told to accept nothing. */
  get isResting(): boolean {
    return this.#resting;
  }
  /** New connections wait for others to end. */
  get isFull(): boolean {
    return this.#closed && !this.#resting;
  }

  #set(): void {
    if (this.#count >= this.#lookAt) this.#measure();
    const close = this.#resting || this.#count >= this.#limitNow + this.#extra;
    if (close !== this.#closed) {
      this.#closed = close;
      this.#gates ??= this.#servers.map((server) => acceptGate(server)).filter((gate) => gate !== undefined);
      for (const gate of this.#gates) {
        if (close) gate.pause();
        else gate.resume();
      }
    }
    this.#lookForWaiting(knockEveryMs);
  }

  get #limitNow(): number {
    return Math.min(this.#limit, this.#share, this.#most);
  }

  #lookForWaiting(inMs: number): void {
    if (this.#knock !== undefined || !this.#mightSwap) return;
    this.#knock = setTimeout(() => void this.#swap(), inMs).unref();
  }

  get #mightSwap(): boolean {
    return this.isFull && this.#count > 0 && this.#share >= 1 && this.#servers.some(({ listening }) => listening);
  }

  /** Accepts what waits, one by one, as long as there is a connection that gives way to it. */
  async #swap(): Promise<void> {
    const startedMs = performance.now();
    this.#findCandidate();
    const searchMs = performance.now() - startedMs;
    while (this.#mightSwap && (await this.#swapOne()));
    this.#knock = undefined;
    this.#lookForWaiting(Math.max(knockEveryMs, searchMs / searchShare));
  }

  /** Whether somebody waited who is in now. */
  async #swapOne(): Promise<boolean> {
    const hasDescriptors = this.#most - this.#count + this.#keptDescriptors >= descriptorsToSwap;
    if (!hasDescriptors || this.#findCandidate() === undefined) return false;
    const { accepted } = this.intake;
    this.#extra = Math.max(0, this.#count + 1 - this.#limitNow);
    this.#set();
    // The kernel is asked in between.
    await setImmediate();
    this.#extra = 0;
    const came = this.intake.accepted - accepted;
    for (let count = 0; count < came; count += 1) {
      this.#findCandidate()?.giveWay();
      this.#candidate = undefined;
    }
    this.#set();
    // By then what gave way is closed.
    if (came > 0) await setImmediate();
    return came > 0;
  }

  /** The last one found is the longest idle one as long as it is idle, unless it had not asked: others may have asked since. */
  #findCandidate(): IdleConnection | undefined {
    if (this.#candidate?.hasAsked === true && this.#candidate.isStillIdle) return this.#candidate;
    this.#candidate = firstToGiveWay(this.#idle() ?? []);
    return this.#candidate;
  }
}

/** Stops listening without touching connections: `http.Server.close()` would end idle ones at once. */
export function stopListening(server: Server): void {
  server.close(() => {});
}
