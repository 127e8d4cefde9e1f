/**
 * node:http's server for connections that were idle elsewhere. To node:http a connection is new whenever it gets it: it owes a
 * head at once, and gets 408 if none comes. One that has moved here owes nothing: it is idle as before, for as long as any other.
 */
import { Server } from 'node:http';
import type { Socket } from 'node:net';

export class NodeServer extends Server {
  readonly #idle = new WeakSet<Socket>();

  /** It has been idle, and may go on to be so. For a connection that this server has got already. */
  excuse(socket: Socket, idleMs: number): void {
    this.#idle.add(socket);
    socket.setTimeout(idleMs);
  }

  /** It has sent a request. */
  hasAsked(socket: Socket): void {
    if (this.#idle.delete(socket)) socket.setTimeout(this.timeout);
  }

  override emit(...event: [name: string | symbol, ...values: unknown[]]): boolean {
    // Unless somebody takes this event, it is answered and the connection ends.
    if (event[0] === 'clientError' && this.#isOnlyIdle(event[1], event[2])) return true;
    return super.emit(...(event as Parameters<Server['emit']>));
  }

  #isOnlyIdle(error: unknown, socket: unknown): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const { bytesRead } = socket as Socket;
    return code === 'ERR_HTTP_REQUEST_TIMEOUT' && bytesRead === 0 && this.#idle.has(socket as Socket);
  }
}
