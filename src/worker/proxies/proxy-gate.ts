/**
 * Connections from peers of the option `proxyProtocol` wait here until their PROXY header has come; then they are served
 * as the connection that it describes. Those of other peers go straight through: a header that they send is a bad request.
 *
 * It stands before everything else that reads from a connection, TLS included: the header comes in front of the handshake.
 */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { deliverTo, receiveFrom } from '../../shared/node-private.ts';
import type { ServerSettings } from '../../shared/options.ts';
import { peerListOf, type PeerList } from '../../shared/peer-list.ts';
import { Clock } from '../clock.ts';
import type { Expiring } from '../clock.ts';
import { gonePeer, peerAddress } from '../peer.ts';
import { ProxyHeaderDecoder } from './proxy-header.ts';
import type { ToldPeer } from './told-peer.ts';

/** `told` is undefined where the connection speaks for itself. */
type Accept = (told: ToldPeer | undefined) => void;

export class ProxyGate {
  readonly #peers: PeerList;
  readonly #waiting = new Set<WaitingConnection>();
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #timeoutMs: number;
  readonly #clock = new Clock(this.#waiting);

  constructor(peers: PeerList, timeoutMs: number, log: Logger, onChange: () => void) {
    this.#peers = peers;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Undefined when nobody has to send a header. */
  static of(
    settings: Pick<ServerSettings, 'proxyProtocol' | 'headTimeoutMs'>,
    log: Logger,
    onChange: () => void,
  ): ProxyGate | undefined {
    const peers = peerListOf(settings.proxyProtocol);
    return peers && new ProxyGate(peers, settings.headTimeoutMs, log, onChange);
  }

  /** connections whose header has not come yet */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `accept` once it is known whose connection this is. What came behind the header goes to whoever receives its bytes
   * then, or was put back into the socket, which is paused.
   */
  admit(socket: Socket, accept: Accept): void {
    const peer = peerAddress(socket);
    // Whether it is a listed one cannot be known any more; health checks of HAProxy end so.
    if (peer === gonePeer) {
      socket.on('error', ignoreError).destroy();
      return;
    }
    if (!this.#peers.includes(peer)) {
      accept(undefined);
      return;
    }
    this.#clock.start();
    const deadlineMs = this.#clock.after(this.#timeoutMs);
    this.#waiting.add(new WaitingConnection(this, socket, accept, deadlineMs));
    this.#onChange();
  }

  closeAll(): void {
    for (const connection of this.#waiting) connection.close();
  }

  gone(connection: WaitingConnection): void {
    if (this.#waiting.delete(connection)) this.#onChange();
  }

  refused(code: ErrorCode, peer: string): void {
    this.#log.info('connection.refused', { code, peer });
  }
}

class WaitingConnection implements Expiring {
  readonly readDeadlineMs: number;
  readonly writeDeadlineMs = Infinity;
  readonly #gate: ProxyGate;
  readonly #socket: Socket;
  readonly #accept: Accept;
  readonly #peer: string;
  readonly #decoder = new ProxyHeaderDecoder();

  constructor(gate: ProxyGate, socket: Socket, accept: Accept, deadlineMs: number) {
    this.#gate = gate;
    this.#socket = socket;
    this.#accept = accept;
    this.#peer = peerAddress(socket);
    this.readDeadlineMs = deadlineMs;
    // It stays when the connection has been accepted: for the socket below TLS nobody else listens.
    socket.on('error', ignoreError);
    socket.on('end', this.#onEnd).on('close', this.#onClose);
    if (!receiveFrom(socket, this)) socket.on('data', this.#onData);
  }

  expire(): void {
    this.#refuse('PROXY_HEADER_TIMEOUT');
  }

  close(): void {
    this.#socket.destroy();
    this.#leave();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (!this.#isWhole(bytes)) return;
    const { rest } = this.#decoder;
    this.#socket.pause();
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#pass();
  };

  receive(buffer: Buffer, length: number): void {
    if (!this.#isWhole(buffer.subarray(0, length))) return;
    const { rest } = this.#decoder;
    this.#pass();
    // Whoever was to get it may have had no use for it.
    if (rest.length > 0 && !this.#socket.destroyed) deliverTo(this.#socket, rest);
  }

  readonly #onEnd = (): void => {
    // Connecting and closing is how load balancers look whether somebody listens.
    if (this.#decoder.isEmpty) this.close();
    else this.#refuse('BAD_PROXY_HEADER');
  };

  readonly #onClose = (): void => this.#leave();

  #isWhole(bytes: Buffer): boolean {
    const event = this.#decoder.push(bytes);
    if (event === 'bad') this.#refuse('BAD_PROXY_HEADER');
    return event === 'done';
  }

  #pass(): void {
    const { result } = this.#decoder;
    this.#stopListening();
    this.#accept(result === 'own' ? undefined : result);
    // After it was accepted, so that somebody counts it at any time.
    this.#gate.gone(this);
  }

  #refuse(code: ErrorCode): void {
    this.#gate.refused(code, this.#peer);
    this.close();
  }

  #stopListening(): void {
    this.#socket.off('end', this.#onEnd).off('close', this.#onClose).off('data', this.#onData);
  }

  #leave(): void {
    this.#stopListening();
    this.#gate.gone(this);
  }
}

function ignoreError(): void {
  // 'close' follows.
}
