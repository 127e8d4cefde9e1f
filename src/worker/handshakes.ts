/**
 * TLS connections whose handshake is not over: accepted, and with descriptor and memory of their own, but nobody's yet.
 * Without counting them, clients that never finish theirs would get past any limit of connections.
 */
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

export class Handshakes {
  readonly #onChange: () => void;
  #open = 0;
  #secured = 0;

  constructor(servers: readonly Server[], onChange: () => void) {
    this.#onChange = onChange;
    for (const server of servers) {
      if (server instanceof TlsServer)
        server.on('connection', this.#opened).prependListener('secureConnection', this.#secure);
    }
  }

  /** node:tls does not tell which socket a secure one came from; their numbers do. */
  get count(): number {
    return this.#open - this.#secured;
  }

  readonly #opened = (socket: Socket): void => {
    this.#open += 1;
    socket.once('close', this.#closed);
    this.#onChange();
  };

  readonly #closed = (): void => {
    this.#open -= 1;
    this.#onChange();
  };

  readonly #secure = (socket: Socket): void => {
    this.#secured += 1;
    socket.once('close', this.#secureClosed);
    this.#onChange();
  };

  readonly #secureClosed = (): void => {
    this.#secured -= 1;
    this.#onChange();
  };
}
