/** `listen()` and `wrapSsl()` of the one-process server: a socket that is bound immediately and served later. */
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { readCertificate } from '../../shared/certificate.ts';
import { EvyError } from '../../shared/errors.ts';
import { listenError } from '../../shared/listen-error.ts';
import { listenUnpolled, probePrivateApi } from '../../shared/node-private/node-private.ts';
import type { UnpolledSocket } from '../../shared/node-private/node-private.ts';
import { clearSocketPath } from '../../shared/unix-socket.ts';

/** `[host, port]` ('' means all IPv4 addresses, port 0 a free port), or the path of a unix socket. */
export type Address = readonly [host: string, port: number] | string;
/** The address that a socket actually listens on. */
export type ListenAddress = { host: string; port: number } | { path: string };

export interface ListenOptions {
  /** how many connections may wait in the kernel's queue; 511 by default */
  backlog?: number;
}
export interface SslOptions {
  /** path of the certificate in PEM */
  certfile: string;
  /** path of the unencrypted private key in PEM */
  keyfile: string;
  /** accepted for compatibility with eventlet: only the server side can be served */
  serverSide?: true;
  /** further options of node:tls, such as ca or requestCert */
  tls?: TlsOptions;
}

const defaultBacklog = 511;

/** A bound socket, to be passed to `wsgi.server()` once. */
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
    // The rejection is reported by server(), which awaits it.
    this.#opened.catch(() => {});
  }

  /** Rejects with EvyError BAD_CERTIFICATE. */
  get tls(): Promise<TlsOptions> | undefined {
    return this.#tls;
  }

  /** @internal */
  wrap(options: SslOptions): void {
    this.#tls = readCertificate(options).then((pair) => ({ ...options.tls, ...pair }));
    // The rejection is reported by server(), which awaits it.
    this.#tls.catch(() => {});
  }

  /** Reserves the socket for one server. @throws {EvyError} ADDRESS_IN_USE on a second call */
  claim(): void {
    if (this.#isClaimed)
      throw new EvyError('ADDRESS_IN_USE', `${this.name}: another server of this process already uses this socket`);
    this.#isClaimed = true;
  }

  /**
   * Makes `server` accept connections; resolves with the address. @throws {EvyError} BAD_BIND, ADDRESS_IN_USE and the
   * like
   */
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

  /** Binds and listens without accepting; undefined where only server() can bind. */
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
      const { lookup } = await import('node:dns/promises');
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

  /** The address for messages. */
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

/**
 * Binds a socket for `wsgi.server()`. Errors reject the promise that server() returns.
 */
export function listen(address: Address, options: ListenOptions = {}): ListenSocket {
  return new ListenSocket(address, options);
}

/** Returns the same socket, to be served with TLS. */
export function wrapSsl(socket: ListenSocket, options: SslOptions): ListenSocket {
  socket.wrap(options);
  return socket;
}
