/**
 * node:http's server, extended for connections that were idle in another process. node:http treats every connection as
 * new: it expects a head, and responds with 408 if none comes. A connection that has moved here stays idle, with the
 * idle time-out of any other.
 */
import { Server } from 'node:http';
import type { Socket } from 'node:net';

export class NodeServer extends Server {
  readonly #idle = new WeakSet<Socket>();

  /** Marks a connection of this server as idle, with this idle time-out. */
  excuse(socket: Socket, idleMs: number): void {
    this.#idle.add(socket);
    socket.setTimeout(idleMs);
  }

  /** The connection has sent a request. */
  hasAsked(socket: Socket): void {
    if (this.#idle.delete(socket)) socket.setTimeout(this.timeout);
  }

  override emit(...event: [name: string | symbol, ...values: unknown[]]): boolean {
    // Without a listener for this event, the connection gets a response and ends.
    if (event[0] === 'clientError' && this.#isOnlyIdle(event[1], event[2])) return true;
    return super.emit(...(event as Parameters<Server['emit']>));
  }

  #isOnlyIdle(error: unknown, socket: unknown): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const { bytesRead } = socket as Socket;
    return code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead === 0 && this.#idle.has(socket as Socket);
  }
}
