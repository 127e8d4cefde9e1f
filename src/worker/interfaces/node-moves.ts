/**
 * Decides which connections of node:http may move, and when. Its parser keeps consumed bytes of a request, so a
 * connection moves only when it is certainly between two requests: by node:http's own list, or because no byte of it
 * was ever read.
 *
 * Building that list takes time with many connections, so it is requested at most once per turn of the event loop. A
 * connection that was idle then is still idle if no byte was read since.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { detach, idleHttpSockets, reattach } from '../../shared/node-private/node-private.ts';
import type { Movable, Mover, DetachedConnection } from '../migration/mover.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** An unread request body may end without any event, so the remaining connections are checked at this interval. */
const lookEveryMs = 100;

export interface HttpSockets {
  readonly server: Server;
  readonly sockets: ReadonlyMap<Socket, unknown>;
  /** connections that started with bytes from another process */
  readonly begun: WeakSet<Socket>;
  /** sockets with a response in progress */
  readonly busySockets: () => Iterable<Socket>;
}

/** Connections between two requests, with no byte of the next one; undefined where node:http does not tell. */
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
  /** the connection was removed from service; returns its peer and its number of requests */
  released(socket: Socket): Served;
  /** the connection is served again */
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

  /** Whether the next response of this connection may keep it open. */
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
  /** bytes read when it was found idle */
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
    // No byte was read in between: node:http passes all bytes that it reads to its parser.
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
