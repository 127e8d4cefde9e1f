/**
 * A connection on libuv's handle, without the net.Socket and the stream states that Node keeps for each: half of what an idle
 * connection cost. All of them read into one buffer; a write is one call into libuv, which tries write(2) at once and says
 * whether the kernel took everything.
 */
import net from 'node:net';
import type { Detached } from './moving.ts';
import { canReset } from './reset.ts';
import type { StreamHandle, StreamRequest, StreamWrap } from './stream-wrap.ts';
import { noOwner } from './transport.ts';
import type { End, Transport, TransportOwner } from './transport.ts';

/** uv.h: UV_EOF, which is no errno */
const endOfFile = -4095;
const sharedBuffer = Buffer.allocUnsafeSlow(65_536);

/** On the handle, so that one callback does for all: a closure for each connection would be kept as long as it is idle. */
const connection = Symbol('connection');

interface ConnectedHandle extends StreamHandle {
  [connection]: RawConnection;
}

/** What libuv needs until a write is done, and whose it is. */
interface WriteRequest extends StreamRequest {
  connection?: RawConnection;
  data?: string | readonly Buffer[];
}

function onRead(this: ConnectedHandle): void {
  this[connection].read();
}

function onWritten(this: WriteRequest, status: number): void {
  this.connection!.wrote(status);
}

function onShutdown(this: WriteRequest, status: number): void {
  this.connection!.shutDown(status);
}

/** The bytes go the way of any stream; Node calls it as a method of the socket. */
function pushCopy(this: net.Socket, length: number): boolean {
  return this.push(Buffer.from(sharedBuffer.subarray(0, length)));
}

/** of a write that needed none: it serves the next one */
let spare: WriteRequest | undefined;

export class RawConnection implements Transport {
  readonly isEncrypted = false;
  readonly #wrap: StreamWrap;
  /** undefined once it is closed, or a socket's */
  #handle: StreamHandle | undefined;
  #owner = noOwner;
  /** 'ended': the client has shut down its side */
  #reading: 'paused' | 'reading' | 'ended' = 'paused';
  /** FIN is to go out; it has */
  #writing: 'open' | 'ending' | 'ended' = 'open';

  /** It is not read before it is handed to somebody. */
  constructor(handle: StreamHandle, wrap: StreamWrap) {
    this.#handle = handle;
    this.#wrap = wrap;
    (handle as ConnectedHandle)[connection] = this;
    handle.onread = onRead;
    handle.useUserBuffer(sharedBuffer);
  }

  setOwner(owner: TransportOwner): void {
    this.#owner = owner;
    this.resume();
  }

  get bytesRead(): number {
    return this.#handle?.bytesRead ?? 0;
  }
  get localEnd(): End {
    const end: End = {};
    this.#handle?.getsockname?.(end);
    return end;
  }
  get remoteEnd(): End {
    const end: End = {};
    this.#handle?.getpeername?.(end);
    return end;
  }

  // ---- reading

  get isPaused(): boolean {
    return this.#reading === 'paused';
  }
  get hasEnded(): boolean {
    return this.#reading === 'ended';
  }

  pause(): void {
    if (this.#reading !== 'reading') return;
    this.#reading = 'paused';
    this.#handle?.readStop();
  }

  resume(): void {
    if (this.#reading !== 'paused' || this.#handle === undefined) return;
    this.#reading = 'reading';
    if (this.#handle.readStart() !== 0) this.destroy();
  }

  /** @internal */
  read(): void {
    const length = this.#wrap.streamBaseState[this.#wrap.kReadBytesOrError]!;
    if (length > 0) this.#owner.receive(sharedBuffer, length);
    else if (length === endOfFile) this.#end();
    // 0 is no error: there was nothing to read after all.
    else if (length < 0) this.destroy();
  }

  #end(): void {
    this.#reading = 'ended';
    this.#handle?.readStop();
    this.#owner.ended();
    if (this.#writing === 'ended') this.destroy();
  }

  // ---- writing

  write(data: string | readonly Buffer[]): boolean {
    const handle = this.#handle;
    if (handle === undefined) return false;
    const request: WriteRequest = spare ?? new this.#wrap.WriteWrap();
    spare = undefined;
    const errno = dispatch(handle, request, data);
    if (errno !== 0) {
      this.destroy();
      return false;
    }
    if (this.#wrap.streamBaseState[this.#wrap.kLastWriteWasAsync] === 0) {
      spare = request;
      return true;
    }
    request.connection = this;
    request.data = data;
    request.oncomplete = onWritten;
    return false;
  }

  /** @internal */
  wrote(status: number): void {
    if (this.#handle === undefined) return;
    if (status < 0) this.destroy();
    else this.#owner.written();
  }

  end(): void {
    if (this.isEnded || this.#handle === undefined) return;
    this.#writing = 'ending';
    const request: WriteRequest = new this.#wrap.ShutdownWrap();
    request.connection = this;
    request.oncomplete = onShutdown;
    if (this.#handle.shutdown(request) !== 0) this.destroy();
  }

  /** @internal */
  shutDown(status: number): void {
    this.#writing = 'ended';
    if (status < 0 || this.hasEnded) this.destroy();
  }

  get isEnded(): boolean {
    return this.#writing !== 'open';
  }

  // ---- ending

  get isDestroyed(): boolean {
    return this.#handle === undefined;
  }

  destroy(): void {
    this.#takeHandle()?.close(this.#closed);
  }

  reset(): void {
    // A unix socket cannot, nor can a connection whose FIN is under way.
    if (this.isEnded || !canReset(this.#handle)) {
      this.destroy();
      return;
    }
    const handle = this.#takeHandle()!;
    if (handle.reset!(this.#closed) !== 0) handle.close(this.#closed);
  }

  /** Made when it is asked for: kept, it would cost each idle connection a closure. */
  get #closed(): () => void {
    return () => {
      const owner = this.#owner;
      this.#owner = noOwner;
      owner.closed();
    };
  }

  #takeHandle(): StreamHandle | undefined {
    const handle = this.#handle;
    this.#handle = undefined;
    return handle;
  }

  // ---- leaving the loop

  detach(): Detached | undefined {
    const handle = this.#handle;
    if (handle === undefined || this.isEnded || handle.writeQueueSize !== 0) return undefined;
    this.pause();
    this.#owner = noOwner;
    return { handle, rest: undefined };
  }

  intoSocket(rest?: Buffer): net.Socket {
    this.pause();
    const handle = this.#takeHandle();
    if (handle === undefined) return new net.Socket().destroy();
    const options = { handle, allowHalfOpen: true, onread: { buffer: sharedBuffer, callback: pushCopy } };
    const socket = new net.Socket({ ...options, readable: true, writable: true });
    socket.once('close', this.#closed);
    if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    return socket;
  }
}

function dispatch(handle: StreamHandle, request: StreamRequest, data: string | readonly Buffer[]): number {
  if (typeof data === 'string') return handle.writeLatin1String(request, data);
  return data.length === 1 ? handle.writeBuffer(request, data[0]!) : handle.writev(request, data, true);
}
