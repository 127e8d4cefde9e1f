/** Addresses of a connection as the environment shows them, read from the socket once. */
import type { Socket } from 'node:net';
import { unixPeer } from '../shared/peer-list.ts';
import type { PeerFacts } from './environ.ts';

/** The address of the peer, 'unix' for one on a unix socket. A TCP peer that has already gone has none any more. */
export function peerAddress(socket: Socket): string {
  return socket.remoteAddress ?? (socket.localAddress === undefined ? unixPeer : 'unknown');
}

export function peerFacts(socket: Socket, scheme: 'http' | 'https'): PeerFacts {
  // A unix socket has no addresses.
  return {
    serverName: socket.localAddress ?? unixPeer,
    serverPort: socket.localPort === undefined ? '' : String(socket.localPort),
    remoteAddress: peerAddress(socket),
    remotePort: socket.remotePort === undefined ? '' : String(socket.remotePort),
    scheme,
    host: undefined,
  };
}
