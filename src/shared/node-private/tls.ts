/** The socket below a TLS connection: private is `_parent`. Fallback: the caller knows it by the addresses of its ends. */
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { privateApiIsOff } from './raw.ts';

/** The socket that was handed to the TLS server; undefined where that cannot be told. */
export function socketBelow(socket: TLSSocket): net.Socket | undefined {
  const { _parent: below } = socket as unknown as { _parent?: unknown };
  return below instanceof net.Socket && !privateApiIsOff() ? below : undefined;
}
