/**
 * A connection on a stream of Node: for TLS, and where connections on libuv's handles are not available. The socket itself refers to its
 * transport, so its listeners are the same few functions for all sockets: closures would cost memory for each idle connection.
 */
import type { Socket } from 'node:net';
import {
  attach,
  detach,
  noOwner,
  rawConnection,
  readAgain,
  reattach,
  remoteEnd,
  resetNow,
} from '../../shared/node-private/node-private.ts';
import type { Detached, End, PassedHandle, Transport, TransportOwner } from '../../shared/node-private/node-private.ts';

const transport = Symbol('transport');

interface CarriedSocket extends Socket {
  [transport]: StreamTransport;
}

export class StreamTransport implements Transport {
  readonly isEncrypted: boolean;
  readonly #socket: Socket;
  #owner = noOwner;
  #state: 'fresh' | 'listening' | 'detached' = 'fresh';

  constructor(socket: Socket) {
    this.#socket = socket;
    this.isEncrypted = 'encrypted' in socket;
    (socket as CarriedSocket)[transport] = this;
    // 'close' follows and settles everything.
    socket.on('error', ignoreError);
  }

  setOwner(owner: TransportOwner): void {
    const socket = this.#socket;
    this.#owner = owner;
    if (this.#state === 'fresh') socket.on('end', onEnd).on('close', onClose);
    if (this.#state !== 'listening') socket.on('data', onData);
    if (this.#state === 'detached') reattach(socket);
    this.#state = 'listening';
    socket.resume();
  }

  /** @internal */
  received(bytes: Buffer): void {
    this.#owner.receive(bytes, bytes.length);
  }
  /** @internal */
  endedByClient(): void {
    this.#owner.ended();
  }
  /** @internal */
  closed(): void {
    this.#owner.closed();
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }
  get localEnd(): End {
    return { address: this.#socket.localAddress, port: this.#socket.localPort };
  }
  get remoteEnd(): End {
    return remoteEnd(this.#socket);
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  get isPaused(): boolean {
    return this.#socket.isPaused();
  }
  get hasEnded(): boolean {
    return this.#socket.readableEnded;
  }

  /**
   * Most writes are taken by the kernel at once, which `writableLength` says: that spares a callback for each. Only after one that has
   * to wait, an empty one follows it for the sake of its callback.
   */
  write(data: string | readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (typeof data === 'string') socket.write(data, 'latin1');
    else {
      socket.cork();
      for (const part of data) socket.write(part);
      socket.uncork();
    }
    if (socket.writableLength === 0 && socket.errored === null && !socket.destroyed) return true;
    socket.write('', (error) => {
      if (!error) this.#owner.written();
    });
    return false;
  }

  end(): void {
    this.#socket.end();
  }
  get isEnded(): boolean {
    return this.#socket.writableEnded;
  }
  destroy(): void {
    this.#socket.destroy();
  }
  reset(): void {
    // Node does not close a socket that it cannot reset since its FIN is under way.
    if (this.isEnded) this.destroy();
    else resetNow(this.#socket);
  }
  get isDestroyed(): boolean {
    return this.#socket.destroyed;
  }

  detach(): Detached | undefined {
    const socket = this.#socket;
    if (this.isEncrypted) return undefined;
    socket.off('data', onData);
    const detached = detach(socket);
    if (detached === undefined) {
      if (this.#state === 'listening') socket.on('data', onData);
      return undefined;
    }
    this.#state = 'detached';
    this.#owner = noOwner;
    return detached;
  }

  intoSocket(rest?: Buffer): Socket {
    const socket = this.#socket;
    socket.off('data', onData).off('end', onEnd).off('error', ignoreError);
    if (this.#state === 'fresh' && rest === undefined) return socket;
    socket.pause();
    if (socket.readableEnded) readAgain(socket, rest);
    else if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    // Not read yet, as a fresh socket: the first 'data' listener makes it flow.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    return socket;
  }
}

function onData(this: CarriedSocket, bytes: Buffer): void {
  this[transport].received(bytes);
}

function onEnd(this: CarriedSocket): void {
  // 'close' follows and settles everything.
  if (!this.destroyed) this[transport].endedByClient();
}

function onClose(this: CarriedSocket): void {
  this[transport].closed();
}

function ignoreError(): void {}

/** A connection that came from another process. */
export function transportOf(handle: PassedHandle): Transport {
  return rawConnection(handle) ?? new StreamTransport(attach(handle));
}
