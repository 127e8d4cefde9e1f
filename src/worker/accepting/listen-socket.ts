/** `listen()` and `wrapSsl()` of the one-process server: a socket that is bound at once and served later. */
import { lookup } from 'node:dns/promises';
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { readCertificate } from '../../shared/certificate.ts';
import { EvyError } from '../../shared/errors.ts';
import { listenError } from '../../shared/listen-error.ts';
import { listenUnpolled, probePrivateApi } from '../../shared/node-private/node-private.ts';
import type { UnpolledSocket } from '../../shared/node-private/node-private.ts';
import { clearSocketPath } from '../../shared/unix-socket.ts';

/** `[host, port]` ('' is all IPv4 addresses, port 0 a free one), or the path of a unix socket. */
export type Address = readonly [host: string, port: number] | string;
/** Where a socket listens in fact. */
export type ListenAddress = { host: string; port: number } | { path: string };

export interface ListenOptions {
  /** connections that may wait in the kernel; 511 by default */
  backlog?: number;
}
export interface SslOptions {
  certfile: string;
  keyfile: string;
  /** present for eventlet's sake: only the server side can be served */
  serverSide?: true;
  /** further options of node:tls, such as ca or requestCert */
  tls?: TlsOptions;
}

const defaultBacklog = 511;

export class ListenSocket {
  readonly #address: Address;
  readonly #backlog: number;
  readonly #opened: Promise<UnpolledSocket | undefined>;
  #tls: Promise<TlsOptions> | undefined;
  #isClaimed = false;

  constructor(address: Address, options: ListenOptions) {
    this.#address = address;
    this.#backlog = options.backlog ?? defaultBacklog;
    this.#opened = this.#open();
    // Told by server(), which waits for it.
    this.#opened.catch(() => {});
  }

  /** Rejects with EvyError BAD_CERTIFICATE. */
  get tls(): Promise<TlsOptions> | undefined {
    return this.#tls;
  }

  /** @internal */
  wrap(options: SslOptions): void {
    this.#tls = readCertificate(options).then((pair) => ({ ...options.tls, ...pair }));
    // Told by server(), which waits for it.
    this.#tls.catch(() => {});
  }

  /** One server a socket: the first one that asks. @throws {EvyError} ADDRESS_IN_USE */
  claim(): void {
    if (this.#isClaimed)
      throw new EvyError('ADDRESS_IN_USE', `${this.name}: another server of this process already uses this socket`);
    this.#isClaimed = true;
  }

  /** Makes `server` accept. @throws {EvyError} BAD_BIND, ADDRESS_IN_USE and the like */
  async serve(server: Server): Promise<ListenAddress> {
    const opened = await this.#opened;
    if (opened === undefined) await this.#listenPlainly(server);
    else await opened.serve(server, this.#backlog);
    if (typeof this.#address === 'string') return { path: this.#address };
    const { address: host, port } = server.address() as { address: string; port: number };
    return { host, port };
  }

  close(): void {
    void this.#opened.then(
      (opened) => opened?.close(),
      () => {},
    );
  }

  /** Binds and listens without accepting; undefined where only server() can do it. */
  async #open(): Promise<UnpolledSocket | undefined> {
    checkAddress(this.#address);
    const part = typeof this.#address === 'string' ? 'unixSockets' : 'tcpSockets';
    const { [part]: fault } = await probePrivateApi([part, 'rawConnections', 'reset']);
    const { name } = this;
    try {
      if (typeof this.#address === 'string') {
        await clearSocketPath(this.#address, name);
        if (fault !== undefined) return undefined;
        return await listenUnpolled({ kind: 'unix', path: this.#address }, this.#backlog);
      }
      if (fault !== undefined) return undefined;
      const [host, port] = this.#address;
      const { address, family } = host === '' ? { address: '0.0.0.0', family: 4 } : await lookup(host);
      return await listenUnpolled({ kind: 'tcp', address, port, family: family === 6 ? 6 : 4 }, this.#backlog);
    } catch (error) {
      throw listenError(name, error);
    }
  }

  async #listenPlainly(server: Server): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(this.name, error)));
      if (typeof this.#address === 'string') server.listen(this.#address, this.#backlog, resolve);
      else server.listen(this.#address[1], this.#address[0] || '0.0.0.0', this.#backlog, resolve);
    });
  }

  /** The address as messages name it. */
  get name(): string {
    if (typeof this.#address === 'string') return `unix:${this.#address}`;
    const [host, port] = this.#address;
    return `${host.includes(':') ? `[${host}]` : host || '0.0.0.0'}:${port}`;
  }
}

function checkAddress(address: unknown): void {
  if (typeof address === 'string' && address !== '') return;
  const [host, port] = Array.isArray(address) ? (address as unknown[]) : [];
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535;
  if (typeof host === 'string' && isPort) return;
  const rule = 'the address of listen() must be [host, port] with a port from 0 to 65535, or the path of a unix socket';
  throw new EvyError('BAD_BIND', `${rule} (got ${JSON.stringify(address)})`);
}

/** Binds a socket for `wsgi.server()`. What goes wrong is told by the promise that server() returns. */
export function listen(address: Address, options: ListenOptions = {}): ListenSocket {
  return new ListenSocket(address, options);
}

/** The same socket with TLS. */
export function wrapSsl(socket: ListenSocket, options: SslOptions): ListenSocket {
  socket.wrap(options);
  return socket;
}
