/**
 * The connections that node:http serves: how they are added, moved and closed. Their requests are handled elsewhere.
 */
import type { Socket } from 'node:net';
import type { MovingConnection } from '../../shared/protocol/messages.ts';
import { attach } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { PeerFacts } from '../transport/peer.ts';
import { Linger, lingerMs } from '../transport/linger.ts';
import { timerMs } from '../transport/clock.ts';
import type { IdleConnection } from '../transport/idle.ts';
import type { Mover } from '../migration/mover.ts';
import { trustedProxiesOf } from '../proxies/forwarding.ts';
import type { TrustedProxies } from '../proxies/forwarding.ts';
import type { Sender } from './node-hooks.ts';
import { idleSockets, NodeMoves } from './node-moves.ts';
import type { HttpSockets, Served } from './node-moves.ts';
import type { NodeServer } from './node-server.ts';

/** A connection, and how many requests it has had. */
export interface Client extends Sender {
  requests: number;
  /** when it was connected, or its last response was complete */
  quietSinceMs: number;
}

interface Parts {
  readonly settings: ServerSettings;
  readonly server: NodeServer;
  /** sockets with a response in progress */
  readonly busySockets: () => Iterable<Socket>;
  /** called when a connection was added or removed */
  readonly changed: () => void;
}

export class NodeConnections {
  readonly #settings: ServerSettings;
  readonly #server: NodeServer;
  readonly #changed: () => void;
  readonly #trustedProxies: TrustedProxies | undefined;
  readonly #http: HttpSockets;
  readonly #clients = new Map<Socket, Client>();
  /** connections that arrived with bytes of a request, which node:http does not count as read */
  readonly #begun = new WeakSet<Socket>();
  /** connections whose writing side is closed, or about to be */
  readonly #dismissed = new WeakSet<Socket>();
  #moves: NodeMoves | undefined;
  #draining = false;
  #closesIdle = false;
  #closedIdle = 0;

  constructor({ settings, server, busySockets, changed }: Parts) {
    this.#settings = settings;
    this.#server = server;
    this.#changed = changed;
    this.#trustedProxies = trustedProxiesOf(settings);
    this.#http = { server, sockets: this.#clients, begun: this.#begun, busySockets };
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Undefined when the client has disconnected, or no more requests are accepted from it. */
  clientOf(socket: Socket): Client | undefined {
    return this.#dismissed.has(socket) ? undefined : this.#clients.get(socket);
  }

  add(socket: Socket, peer: PeerFacts, requests = 0): void {
    this.#keep(socket, { peer, requests });
    socket.once('close', () => {
      this.#clients.delete(socket);
      this.#moves?.gone(socket);
      this.#changed();
    });
    this.#server.emit('connection', socket);
    this.#moves?.lookSoon();
    this.#changed();
  }

  adopt({ peer, requests, rest }: MovingConnection, handle: PassedHandle): void {
    const socket = attach(handle);
    if (rest !== undefined) {
      this.#begun.add(socket);
      socket.unshift(Buffer.from(rest, 'base64'));
    }
    this.add(socket, peer, requests);
    if (rest === undefined) this.#server.excuse(socket, timerMs(this.#settings.keepaliveMs));
    if (this.#closesIdle) setImmediate(() => this.closeIdle());
  }

  #keep(socket: Socket, { peer, requests }: Served): void {
    const forwarding = this.#trustedProxies?.connection(peer);
    this.#clients.set(socket, { peer, forwarding, requests, quietSinceMs: performance.now() });
  }

  /** Whether a byte of a request has arrived. */
  hasBegun(socket: Socket): boolean {
    return socket.bytesRead > 0 || this.#begun.has(socket);
  }

  /**
   * Counts a request of a connection. Returns whether its response is the last one. (node:http's own
   * maxRequestsPerSocket announces the close, but does not close.)
   */
  isLast(socket: Socket, client: Client): boolean {
    const { keepaliveMs, maxRequestsPerConnection: most } = this.#settings;
    client.requests += 1;
    if (this.#draining && !this.mayStay(socket)) return true;
    return keepaliveMs === 0 || (most > 0 && client.requests >= most);
  }

  /** Whether it persists although this process ends, since it is expected to move. */
  mayStay(socket: Socket): boolean {
    return this.#moves?.expects(socket) === true;
  }

  drain(): void {
    this.#draining = true;
  }

  /** A response is complete, so its connection may be idle now. */
  responseOver(socket: Socket): void {
    const client = this.#clients.get(socket);
    if (client !== undefined) client.quietSinceMs = performance.now();
    this.#moves?.lookSoon();
    if (this.#closesIdle) setImmediate(() => this.closeIdle());
  }

  moveWith(mover: Mover): void {
    if (idleSockets(this.#http) === undefined) return;
    this.#moves ??= new NodeMoves({ ...this.#http, released: this.#released, resumed: this.#resumed }, mover);
    this.#moves.look();
  }

  readonly #released = (socket: Socket): Served => {
    const { peer, requests } = this.#clients.get(socket)!;
    this.#clients.delete(socket);
    socket.setTimeout(0);
    this.#changed();
    return { peer, requests };
  };
  readonly #resumed = (socket: Socket, served: Served): void => {
    this.#keep(socket, served);
    socket.setTimeout(timerMs(this.#settings.keepaliveMs));
  };

  /**
   * Closes our side of idle connections, now and whenever one becomes idle. destroy() would reset a request on its way.
   */
  closeIdle(): void {
    this.#closesIdle = true;
    const idle = idleSockets(this.#http);
    if (idle === undefined) this.#closedIdle += this.#closeUnseen();
    for (const socket of idle ?? []) this.#closeUnannounced(socket);
  }
  #closeUnannounced(socket: Socket): void {
    if (!this.#dismissed.has(socket)) this.#closedIdle += 1;
    this.end(socket);
  }

  /** Undefined where node:http does not tell. */
  idle(): IdleConnection[] | undefined {
    const open = idleSockets(this.#http)?.filter((socket) => !socket.destroyed && !this.#dismissed.has(socket));
    return open?.map((socket) => this.#idleOn(socket));
  }
  #idleOn(socket: Socket): IdleConnection {
    const { requests, quietSinceMs } = this.#clients.get(socket)!;
    const { bytesRead } = socket;
    const closeUnannounced = (): void => this.#closeUnannounced(socket);
    return {
      key: socket,
      hasAsked: requests > 0,
      idleMs: performance.now() - quietSinceMs,
      bytesRead,
      // An idle connection is still idle if no byte was read since.
      get isStillIdle() {
        return socket.bytesRead === bytesRead && !socket.destroyed;
      },
      closeUnannounced,
      giveWay: () => {
        closeUnannounced();
        setImmediate(() => socket.destroy());
      },
    };
  }

  /** Where node:http does not tell which connections are idle, it closes them itself; the sockets show how many. */
  #closeUnseen(): number {
    const open = [...this.#clients.keys()].filter((socket) => !socket.destroyed && !this.#dismissed.has(socket));
    this.#server.closeIdleConnections();
    return open.filter((socket) => socket.destroyed).length;
  }
  get closedIdle(): number {
    return this.#closedIdle;
  }

  /**
   * Closes our side, after sending `last`. A request that crosses our FIN is not served, so its client knows that it
   * got no response.
   */
  end(socket: Socket, last?: string): void {
    this.#dismissed.add(socket);
    if (last === undefined) socket.end();
    else socket.end(last, 'latin1');
  }

  /**
   * Accepts no further request, and waits for the client to close, up to a limit. node:http itself would destroy the
   * socket after the last response: later bytes of the client would then cause a reset, and the response could be lost.
   */
  linger(socket: Socket): void {
    this.#dismissed.add(socket);
    socket.destroySoon = () => void socket.end();
    const linger = new Linger(performance.now(), socket.bytesRead);
    const look = (): void => {
      if (!linger.goesOn(performance.now(), socket.bytesRead)) socket.destroy();
    };
    const timer = setInterval(look, lingerMs).unref();
    socket.once('close', () => clearInterval(timer));
  }

  destroyAll(): void {
    for (const socket of this.#clients.keys()) socket.destroy();
  }

  stop(): void {
    this.#moves?.stop();
  }
}
