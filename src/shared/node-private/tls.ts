/**
 * The socket below a TLS connection. Private API: `_parent`. Fallback: the caller identifies it by the addresses of its
 * ends.
 */
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { privateApiIsOff } from './raw.ts';

/** The socket that was passed to the TLS server; undefined where this is unknown. */
export function socketBelow(socket: TLSSocket): net.Socket | undefined {
  const { _parent: below } = socket as unknown as { _parent?: unknown };
  return below instanceof net.Socket && !privateApiIsOff() ? below : undefined;
}
