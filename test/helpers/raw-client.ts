/**
 * A client that sends exactly the bytes it is given, over TCP, a unix socket or TLS, and tells exactly what came back
 * and how the connection ended. Every wait has a deadline whose message shows what was received by then.
 */
import { connect as connectNet, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { once } from 'node:events';
import { onEnd } from './cleanup.ts';
import { ResponseReader, type RawResponse } from './response-reader.ts';
import { withDeadline } from './wait-for.ts';

export interface Target {
  port?: number;
  /** '127.0.0.1' by default */
  host?: string;
  /** path of a unix socket, instead of host and port */
  path?: string;
  /** true trusts any certificate */
  tls?: boolean | ConnectionOptions;
  /** limit of each wait, when it names none */
  withinMs?: number;
}

/** How the connection ended: the server's FIN, or a reset (or another error that ended it). */
export type Ending = 'fin' | 'reset';

export class RawClient {
  readonly reader = new ResponseReader();
  /** bytes received so far */
  bytesReceived = 0;
  /** how the server ended its side, once it did */
  ending: Ending | undefined;
  /** what ended the connection other than a FIN, or is wrong with the bytes received */
  error: Error | undefined;
  readonly socket: Socket;
  /** below TLS, or the same socket */
  readonly #transport: Socket;
  readonly #withinMs: number;
  readonly #waiting = new Set<() => void>();
  #received: Buffer[] = [];
  #taken = 0;

  constructor(socket: Socket, transport: Socket, withinMs: number) {
    this.socket = socket;
    this.#transport = transport;
    this.#withinMs = withinMs;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('end', () => this.#end('fin'));
    socket.on('error', (error) => {
      this.error ??= error;
      this.#end('reset');
    });
    // Below TLS an error may show on the transport alone.
    transport.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('reset'));
  }

  #read(bytes: Buffer): void {
    this.bytesReceived += bytes.length;
    this.#received.push(bytes);
    try {
      this.reader.push(bytes);
    } catch (error) {
      this.error ??= error as Error;
    }
    this.#wake();
  }

  #end(ending: Ending): void {
    if (this.ending === undefined) {
      this.ending = ending;
      if (ending === 'fin') this.reader.end();
    }
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }

  #when<T>(what: string, ask: () => T | undefined, withinMs = this.#withinMs): Promise<T> {
    let check = () => {};
    const fact = new Promise<T>((resolve, reject) => {
      check = () => {
        try {
          const answer = ask();
          if (answer !== undefined) resolve(answer);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
    });
    this.#waiting.add(check);
    check();
    return withDeadline(what, fact, withinMs, () => this.#context()).finally(() => this.#waiting.delete(check));
  }

  #context(): string {
    return `\nconnection ${this.ending ?? 'open'}${this.error ? ` (${this.error.message})` : ''}, received:\n${this.received}`;
  }

  /** Everything received so far, one character a byte. */
  get received(): string {
    this.#received = [Buffer.concat(this.#received)];
    return this.#received[0]!.toString('latin1');
  }

  /**
   * Sends bytes; a string is latin-1. `methods` are those of the requests that begin in them, when they are not all GET:
   * a HEAD's response has no body to wait for.
   */
  send(data: string | Uint8Array, ...methods: string[]): void {
    this.reader.expect(...methods);
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** The next `count` whole responses that were not handed out yet. Rejects early when the connection ends before. */
  async responses(count: number, withinMs?: number): Promise<RawResponse[]> {
    const upTo = this.#taken + count;
    await this.#when(
      `${count} responses`,
      () => {
        if (this.reader.responses.length >= upTo) return true;
        const broken = this.ending ?? (this.error && 'broken');
        if (broken) throw new Error(`no ${count} responses${this.#context()}`, { cause: this.error });
        return undefined;
      },
      withinMs,
    );
    this.#taken = upTo;
    return this.reader.responses.slice(upTo - count, upTo);
  }

  async response(withinMs?: number): Promise<RawResponse> {
    const [response] = await this.responses(1, withinMs);
    return response!;
  }

  /** Sends one request and waits for its response. */
  async request(data: string | Uint8Array, method = 'GET', withinMs?: number): Promise<RawResponse> {
    this.send(data, method);
    return this.response(withinMs);
  }

  /** Waits until this many bytes have come in all. */
  async bytes(count: number, withinMs?: number): Promise<void> {
    await this.#when(`${count} bytes`, () => (this.bytesReceived >= count ? true : undefined), withinMs);
  }

  /** Waits until the server has ended its side, and says how. */
  closed(withinMs?: number): Promise<Ending> {
    return this.#when('the end of the connection', () => this.ending, withinMs);
  }

  /** Sends FIN: no more of ours will come, the server's may. */
  halfClose(): void {
    this.socket.end();
  }

  /** Ends the connection with RST, as a client that crashed with unread data. A unix socket has no RST; it is closed. */
  abort(): void {
    if (this.#transport.remotePort === undefined) this.#transport.destroy();
    else this.#transport.resetAndDestroy();
  }

  /** Stops reading: what the server sends fills the kernel's buffers. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Closes both sides, in order. */
  close(): void {
    this.socket.destroy();
    this.#transport.destroy();
  }
}

/** Connects; rejects when refused. Closed by itself when the test is over. */
export async function connect({ port, host, path, tls, withinMs = 30_000 }: Target): Promise<RawClient> {
  const where = path === undefined ? { port: port ?? 0, host: host ?? '127.0.0.1' } : { path };
  const transport = connectNet({ ...where, allowHalfOpen: true, noDelay: true });
  onEnd(() => transport.destroy());
  const options = tls === true ? { rejectUnauthorized: false } : tls;
  const socket = options ? connectTls({ ...options, socket: transport }) : transport;
  onEnd(() => socket.destroy());
  await withDeadline('a connection', once(socket, options ? 'secureConnect' : 'connect'), withinMs);
  return new RawClient(socket, transport, withinMs);
}
