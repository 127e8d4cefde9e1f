/**
 * TLS connections whose handshake is not complete: they are accepted and use a descriptor and memory, but no loop
 * serves them yet. They are counted, since clients that never finish a handshake would otherwise exceed any limit of
 * connections, and a worker that leaves would cut connections that are about to be served.
 */
import type { Server, Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { Logger } from '../../shared/log/log.ts';
import { socketBelow } from '../../shared/node-private/node-private.ts';
import { gonePeer, peerAddress } from '../transport/peer.ts';
import { toldBehind } from '../proxies/tls-front.ts';

/** An instanceof check would load node:tls. */
const isTls = (server: Server): server is TlsServer => 'setSecureContext' in server;

export class Handshakes {
  readonly #callbacks: Array<() => void> = [];
  #open = 0;
  #secured = 0;
  #failed = 0;
  readonly #log: Logger;
  readonly #peers = new WeakMap<Socket, string>();

  constructor(servers: readonly Server[], log: Logger) {
    this.#log = log;
    for (const server of servers) {
      if (isTls(server)) {
        server.on('connection', this.#opened).prependListener('secureConnection', this.#secure);
        server.on('tlsClientError', this.#fault);
      }
    }
  }

  /** The number of failures since the start. */
  get failed(): number {
    return this.#failed;
  }

  /** node:tls does not tell which socket belongs to a secure one, but their numbers are known. */
  get count(): number {
    return this.#open - this.#secured;
  }

  /**
   * Calls back when a handshake has begun or failed. After a successful one the connection is served, which is reported
   * elsewhere.
   */
  onChange(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  #changed(): void {
    for (const callback of this.#callbacks) callback();
  }

  readonly #opened = (socket: Socket): void => {
    this.#open += 1;
    // After a reset the system no longer knows the address.
    this.#peers.set(socket, peerOf(socket));
    socket.once('close', this.#closed);
    this.#changed();
  };

  readonly #fault = (error: NodeJS.ErrnoException, socket: TLSSocket): void => {
    const below = socketBelow(socket);
    // Load balancers connect and close to check that the server listens.
    if (below?.bytesRead === 0) return;
    this.#failed += 1;
    const peer = below && (toldBehind(below)?.remote.address ?? this.#peers.get(below));
    this.#log.info('connection.refused', {
      code: 'HANDSHAKE_FAILED',
      peer: peer ?? gonePeer,
      reason: error.code ?? error.message,
    });
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

function peerOf({ remoteAddress, localAddress }: Socket): string {
  return peerAddress({ localEnd: { address: localAddress }, remoteEnd: { address: remoteAddress } });
}
