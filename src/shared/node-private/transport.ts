/**
 * The interface between a connection and the HTTP loop: bytes in, bytes out, and the end. It has two implementations:
 * on libuv's handle (raw-connection.ts), and on a Node stream (worker/transport/stream-transport.ts) for TLS or without
 * private API.
 */
import type { Socket } from 'node:net';
import type { Detached } from './moving.ts';

/**
 * One end of a connection. Both fields are undefined for a unix socket, and for the remote end once the client has
 * disconnected.
 */
export interface End {
  address?: string | undefined;
  port?: number | undefined;
}

/** The owner of a connection. Its methods are never called from within a call to the transport. */
export interface TransportOwner {
  /** Bytes arrived: the first `length` of `buffer`, which is reused after this returns. */
  receive(buffer: Buffer, length: number): void;
  /** The client has shut down its side. All bytes before that have been delivered. */
  ended(): void;
  /** A pending write is done. */
  written(): void;
  /** The connection is closed, by either side. This is the last call, and is made once. */
  closed(): void;
}

/** The owner of a connection between two owners. */
export const noOwner: TransportOwner = { receive() {}, ended() {}, written() {}, closed() {} };

export interface Transport {
  /**
   * Starts reading, and reports everything to `owner` from now on and no longer to the previous owner. Earlier events
   * (`hasEnded`, the close) are not reported again.
   */
  setOwner(owner: TransportOwner): void;
  /** a TLS connection, which cannot move to another process */
  readonly isEncrypted: boolean;
  /** bytes received; for TLS, after decryption */
  readonly bytesRead: number;
  readonly localEnd: End;
  readonly remoteEnd: End;

  /** Stops reading: bytes of the client wait in the kernel until `resume`. */
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
  /** the client has shut down its side, and the owner was told */
  readonly hasEnded: boolean;

  /**
   * Sends latin-1 text, or bytes, which must not change until they are sent. Returns true when the kernel took
   * everything immediately; otherwise `written` follows, or `closed` if the connection fails. Must not be called while
   * an earlier write is pending.
   */
  write(data: string | readonly Buffer[]): boolean;
  /** Sends FIN after all writes are done. */
  end(): void;
  /** whether no more can be written */
  readonly isEnded: boolean;
  /** Closes immediately. */
  destroy(): void;
  /** Closes so that the client does not take the response to be complete: with RST, or without close_notify. */
  reset(): void;
  /** whether it is closed or has become a socket */
  readonly isDestroyed: boolean;

  /**
   * Stops reading, so that another process can continue. The owner gets no more calls until `setOwner`. Returns
   * undefined, and changes nothing, when output is pending or the connection cannot move.
   */
  detach(): Detached | undefined;
  /**
   * Converts the connection to a net.Socket that first delivers `rest` (and keeps that buffer). The owner is told only
   * of its close. A closed connection becomes a destroyed socket.
   */
  intoSocket(rest?: Buffer): Socket;
}
