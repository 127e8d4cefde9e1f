/**
 * TLS connections whose handshake is not over: accepted, and with descriptor and memory of their own, but nobody's yet.
 * Without counting them, clients that never finish theirs would get past any limit of connections, and a worker that leaves would
 * cut those that are about to be served.
 */
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

export class Handshakes {
  readonly #callbacks: Array<() => void> = [];
  #open = 0;
  #secured = 0;

  constructor(servers: readonly Server[]) {
    for (const server of servers) {
      if (server instanceof TlsServer)
        server.on('connection', this.#opened).prependListener('secureConnection', this.#secure);
    }
  }

  /** node:tls does not tell which socket a secure one came from; their numbers do. */
  get count(): number {
    return this.#open - this.#secured;
  }

  /** Calls back whenever a handshake began, or failed. After one that succeeds, the connection is served, and that is told elsewhere. */
  onChange(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  #changed(): void {
    for (const callback of this.#callbacks) callback();
  }

  readonly #opened = (socket: Socket): void => {
    this.#open += 1;
    socket.once('close', this.#closed);
    this.#changed();
  };

  readonly #closed = (): void => {
    this.#open -= 1;
    this.#changed();
  };

  readonly #secure = (socket: Socket): void => {
    this.#secured += 1;
    socket.once('close', this.#secureClosed);
  };

  readonly #secureClosed = (): void => {
    this.#secured -= 1;
    this.#changed();
  };
}
