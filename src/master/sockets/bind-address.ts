/**
 * Parses addresses as people write them, and formats them again. It is pure: no name is resolved and no file is looked at.
 *
 * - `host:port`, `[ipv6]:port`
 * - `:port` listens on every IPv4 interface (0.0.0.0); write `[::]:port` for IPv4 and IPv6 on one socket
 * - `port` alone listens on the host of the option `host`: a forgotten colon must not open a server to the world
 * - `unix:path`, `fd:number`
 * - `tls:` in front of any of them
 */
import { isIPv6 } from 'node:net';
import { EvyError } from '../../shared/errors.ts';

export type Bind =
  | { kind: 'tcp'; host: string; port: number; tls: boolean }
  | { kind: 'unix'; path: string; tls: boolean }
  | { kind: 'fd'; fd: number; tls: boolean };

/** sun_path of unix(7) is 108 bytes with its final NUL, 104 on macOS (unix(4)). */
const longestUnixPath = process.platform === 'darwin' ? 103 : 107;

function refuse(text: string, why: string): never {
  throw new EvyError('BAD_BIND', `--bind ${text}: ${why}`);
}

function parsePort(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : NaN;
  if (!(port <= 65_535)) refuse(text, `the port must be a number from 0 to 65535 (got '${digits}')`);
  return port;
}

function parseTcp(text: string, address: string, defaultHost: string, tls: boolean): Bind {
  if (/^\d+$/.test(address)) return { kind: 'tcp', host: defaultHost, port: parsePort(text, address), tls };
  const bracketed = /^\[([^\]]*)\]:([^:]*)$/.exec(address);
  if (bracketed) {
    const [, host = '', digits = ''] = bracketed;
    if (!isIPv6(host)) refuse(text, `'${host}' is not an IPv6 address`);
    return { kind: 'tcp', host, port: parsePort(text, digits), tls };
  }
  if (isIPv6(address) || address.split(':').length > 2)
    refuse(text, 'an IPv6 address must be in brackets, as in [::1]:8080');
  const named = /^([A-Za-z0-9._-]*):([^:]*)$/.exec(address);
  if (!named) refuse(text, 'the address must be host:port, [ipv6]:port, :port, port, unix:path or fd:number');
  const [, host = '', digits = ''] = named;
  return { kind: 'tcp', host: host === '' ? '0.0.0.0' : host, port: parsePort(text, digits), tls };
}

/** @throws {EvyError} BAD_BIND, naming the option and the value */
export function parseBind(text: string, defaultHost = '127.0.0.1'): Bind {
  const tls = text.startsWith('tls:');
  const address = tls ? text.slice('tls:'.length) : text;
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    if (path === '' || path.includes('\0')) refuse(text, 'unix: must be followed by a path');
    if (Buffer.byteLength(path) > longestUnixPath)
      refuse(text, `the path must not be longer than ${longestUnixPath} bytes`);
    return { kind: 'unix', path, tls };
  }
  if (address.startsWith('fd:')) {
    const digits = address.slice('fd:'.length);
    if (!/^\d{1,6}$/.test(digits) || Number(digits) < 3)
      refuse(text, 'fd: must be followed by the number of an inherited descriptor, 3 or higher');
    return { kind: 'fd', fd: Number(digits), tls };
  }
  return parseTcp(text, address, defaultHost, tls);
}

/** The bind of the options `host` and `port`. @throws {EvyError} BAD_BIND, naming the option */
export function bindOfHostAndPort(host: string, port: number, tls: boolean): Bind {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (plain !== '' && !isIPv6(plain) && !/^[A-Za-z0-9._-]+$/.test(plain)) {
    throw new EvyError('BAD_BIND', `--host must be a host name or an address (got '${host}')`);
  }
  return { kind: 'tcp', host: plain === '' ? '0.0.0.0' : plain, port, tls };
}

/** 'host:port', with an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The way back: what `parseBind` takes. */
export function formatBind(bind: Bind): string {
  const prefix = bind.tls ? 'tls:' : '';
  if (bind.kind === 'unix') return `${prefix}unix:${bind.path}`;
  if (bind.kind === 'fd') return `${prefix}fd:${bind.fd}`;
  return prefix + formatHostPort(bind.host, bind.port);
}

/** The actual address of a listener: the port is known even when port 0 was requested. */
export interface BoundAddress {
  /** '127.0.0.1:8080', '[::]:8080', 'unix:/run/app.sock' */
  readonly name: string;
  readonly kind: 'tcp' | 'unix';
  readonly tls: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}
