/**
 * Holds connections from peers of the option `proxyProtocol` until their PROXY header has arrived; then they are served
 * as the connection that it describes. Connections of other peers pass immediately: a header from them is a bad
 * request.
 *
 * The gate comes before every other reader of a connection, TLS included, since the header precedes the handshake.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { noOwner } from '../../shared/node-private/node-private.ts';
import type { Transport, TransportOwner } from '../../shared/node-private/node-private.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import { peerListOf, type PeerList } from '../../shared/options/peer-list.ts';
import { Clock } from '../transport/clock.ts';
import type { Expiring, TimeSource } from '../transport/clock.ts';
import { gonePeer, peerAddress } from '../transport/peer.ts';
import type { IdleConnection } from '../transport/idle.ts';
import { ProxyHeaderDecoder } from './proxy-header.ts';
import type { ToldPeer } from '../transport/peer.ts';

/** `told` is undefined when the connection's own addresses apply; `rest` is the bytes behind the header. */
type Accept = (told?: ToldPeer, rest?: Buffer) => void;

export class ProxyGate {
  readonly #peers: PeerList;
  readonly #waiting = new Set<WaitingConnection>();
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #closedUnannounced = 0;

  constructor(peers: PeerList, timeoutMs: number, log: Logger, onChange: () => void, time: TimeSource) {
    this.#clock = new Clock(this.#waiting, time);
    this.#peers = peers;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Undefined when no peer has to send a header. */
  static of(
    settings: Pick<ServerSettings, 'proxyProtocol' | 'headTimeoutMs'>,
    log: Logger,
    onChange: () => void,
    time: TimeSource,
  ): ProxyGate | undefined {
    const peers = peerListOf(settings.proxyProtocol);
    return peers && new ProxyGate(peers, settings.headTimeoutMs, log, onChange, time);
  }

  /** Connections whose header has not arrived. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Those of them that have sent no byte. */
  *idle(): Iterable<IdleConnection> {
    for (const connection of this.#waiting) if (connection.isStillIdle) yield connection;
  }

  /** Calls `accept` once the addresses of the connection are known. */
  admit(transport: Transport, accept: Accept): void {
    const peer = peerAddress(transport);
    // It is unknown whether the peer was a listed one; health checks of HAProxy end like this.
    if (peer === gonePeer) {
      transport.destroy();
      return;
    }
    if (!this.#peers.includes(peer)) {
      accept();
      return;
    }
    this.#clock.start();
    const deadlineMs = this.#clock.after(this.#timeoutMs);
    this.#waiting.add(new WaitingConnection(this, transport, accept, deadlineMs));
    this.#onChange();
  }

  /** connections that were closed before they sent anything, without an announcement */
  get closedUnannounced(): number {
    return this.#closedUnannounced;
  }
  closing(): void {
    this.#closedUnannounced += 1;
  }

  closeAll(): void {
    for (const connection of this.#waiting) connection.closeUnannounced();
  }

  gone(connection: WaitingConnection): void {
    if (this.#waiting.delete(connection)) this.#onChange();
  }

  refused(code: ErrorCode, peer: string): void {
    this.#log.info('connection.refused', { code, peer });
  }
}

class WaitingConnection implements Expiring, TransportOwner, IdleConnection {
  readonly hasAsked = false;
  readonly bytesRead = 0;
  readonly readDeadlineMs: number;
  readonly writeDeadlineMs = Infinity;
  readonly #gate: ProxyGate;
  readonly #transport: Transport;
  readonly #accept: Accept;
  readonly #peer: string;
  readonly #decoder = new ProxyHeaderDecoder();
  readonly #sinceMs = performance.now();

  constructor(gate: ProxyGate, transport: Transport, accept: Accept, deadlineMs: number) {
    this.#gate = gate;
    this.#transport = transport;
    this.#accept = accept;
    this.#peer = peerAddress(transport);
    this.readDeadlineMs = deadlineMs;
    transport.setOwner(this);
  }

  expire(): void {
    this.#refuse('PROXY_HEADER_TIMEOUT');
  }

  get key(): object {
    return this;
  }
  get idleMs(): number {
    return performance.now() - this.#sinceMs;
  }
  get isStillIdle(): boolean {
    return this.#decoder.isEmpty && !this.#transport.isDestroyed;
  }

  closeUnannounced(): void {
    this.#gate.closing();
    this.close();
  }
  giveWay(): void {
    this.closeUnannounced();
  }

  close(): void {
    this.#transport.setOwner(noOwner);
    this.#transport.destroy();
    this.#gate.gone(this);
  }

  receive(buffer: Buffer, length: number): void {
    const event = this.#decoder.push(buffer.subarray(0, length));
    if (event === 'bad') this.#refuse('BAD_PROXY_HEADER');
    else if (event === 'done') this.#pass();
  }

  ended(): void {
    // Load balancers connect and close to check that the server listens.
    if (this.#decoder.isEmpty) this.close();
    else this.#refuse('BAD_PROXY_HEADER');
  }

  written(): void {}

  closed(): void {
    this.#gate.gone(this);
  }

  #pass(): void {
    const { result, rest } = this.#decoder;
    this.#transport.setOwner(noOwner);
    this.#accept(result === 'own' ? undefined : result, rest.length === 0 ? undefined : Buffer.from(rest));
    // After it was accepted, so that it is counted at every moment.
    this.#gate.gone(this);
  }

  #refuse(code: ErrorCode): void {
    this.#gate.refused(code, this.#peer);
    this.close();
  }
}
