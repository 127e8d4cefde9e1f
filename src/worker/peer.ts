/** Addresses of a connection as the environment shows them, read from the socket once. */
import type { Socket } from 'node:net';
import type { PeerFacts } from './environ.ts';

export function peerFacts(socket: Socket, scheme: 'http' | 'https'): PeerFacts {
  // A unix socket has no addresses.
  return {
    serverName: socket.localAddress ?? 'unix',
    serverPort: socket.localPort === undefined ? '' : String(socket.localPort),
    remoteAddress: socket.remoteAddress ?? 'unix',
    remotePort: socket.remotePort === undefined ? '' : String(socket.remotePort),
    scheme,
  };
}
