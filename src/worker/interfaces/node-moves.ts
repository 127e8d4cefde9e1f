/**
 * Which connections of node:http may move, and when. Its parser keeps what it has consumed of a request, so a connection moves only
 * when it is between two of them for sure: by node:http's own list, or as not a byte was ever read of it.
 *
 * The list is asked for as a whole, which takes its time with many connections; so it is asked once a turn at most, and
 * whoever was idle then is idle still if no byte was read since.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { detach, idleHttpSockets, reattach } from '../../shared/node-private/node-private.ts';
import type { Movable, Mover, DetachedConnection } from '../migration/mover.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** A request body that nobody reads may end without any event: whoever is left is looked at this often. */
const lookEveryMs = 100;

export interface HttpSockets {
  readonly server: Server;
  readonly sockets: ReadonlyMap<Socket, unknown>;
  /** those that began with bytes from elsewhere */
  readonly begun: WeakSet<Socket>;
  /** those with a response under way */
  readonly busySockets: () => Iterable<Socket>;
}

/** Connections without a request, to the byte; undefined where node:http does not tell. */
export function idleSockets({ server, sockets, begun, busySockets }: HttpSockets): Socket[] | undefined {
  const idle = idleHttpSockets(server);
  if (idle === undefined) return undefined;
  const busy = new Set(busySockets());
  const fresh = [...sockets.keys()].filter((socket) => socket.bytesRead === 0 && !begun.has(socket));
  return [...new Set([...idle, ...fresh])].filter((socket) => sockets.has(socket) && !busy.has(socket));
}

export interface Served {
  readonly peer: PeerFacts;
  readonly requests: number;
}

export interface NodeMovesParts extends HttpSockets {
  /** it has been taken out of service; tells whose it is, and how many requests it has had */
  released(socket: Socket): Served;
  /** it is served on */
  resumed(socket: Socket, served: Served): void;
}

export class NodeMoves {
  readonly #parts: NodeMovesParts;
  readonly #mover: Mover;
  readonly #offered = new Map<Socket, HttpMovable>();
  #soon: NodeJS.Immediate | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: NodeMovesParts, mover: Mover) {
    this.#parts = parts;
    this.#mover = mover;
    this.#timer = setInterval(() => this.lookSoon(), lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#soon);
  }

  /** Whether the next response of this connection need not be its last. */
  expects(socket: Socket): boolean {
    return isPlain(socket) && this.#mover.expects(socket);
  }

  lookSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.look();
    });
  }

  look(): void {
    for (const socket of idleSockets(this.#parts) ?? []) if (isPlain(socket)) this.#offer(socket);
  }

  gone(socket: Socket): void {
    const movable = this.#offered.get(socket);
    if (movable === undefined) return;
    this.#offered.delete(socket);
    this.#mover.forget(movable);
  }

  #offer(socket: Socket): void {
    let movable = this.#offered.get(socket);
    if (movable === undefined) {
      movable = new HttpMovable(socket, this.#parts);
      this.#offered.set(socket, movable);
    }
    movable.idleAtBytes = socket.bytesRead;
    this.#mover.offer(movable);
  }
}

class HttpMovable implements Movable {
  readonly transport: Socket;
  readonly #parts: NodeMovesParts;
  /** how much had been read of it when it was seen to be idle */
  idleAtBytes = -1;

  constructor(socket: Socket, parts: NodeMovesParts) {
    this.transport = socket;
    this.#parts = parts;
  }

  detach(): DetachedConnection | undefined {
    const { transport: socket } = this;
    if (socket.bytesRead !== this.idleAtBytes || socket.readableLength > 0 || socket.readableEnded) return undefined;
    const detached = detach(socket);
    if (detached === undefined) return undefined;
    // Neither here nor there a byte was read: node:http hands all that it reads to its parser.
    const { peer, requests } = this.#parts.released(socket);
    return {
      handle: detached.handle,
      connection: { peer, requests },
      drop: () => socket.destroy(),
      resume: () => {
        if (socket.destroyed) return;
        this.#parts.resumed(socket, { peer, requests });
        reattach(socket);
      },
    };
  }
}

function isPlain(socket: Socket): boolean {
  return !('encrypted' in socket);
}
