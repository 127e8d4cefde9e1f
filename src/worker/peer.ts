/** Addresses of a connection as the environment shows them, read once: from its PROXY header, or from the socket. */
import type { Socket } from 'node:net';
import { unixPeer } from '../shared/peer-list.ts';
import { remoteEnd } from '../shared/node-private.ts';
import type { LocalEnd, RemoteEnd } from '../shared/node-private.ts';
import type { PeerFacts } from './environ.ts';
import type { ToldPeer } from './proxies/told-peer.ts';

/** The address of a TCP peer that reset its connection before it was accepted; what it sent may be there all the same. */
export const gonePeer = 'unknown';

/** The address of the peer, 'unix' for one on a unix socket: a word that nobody who came by TCP gets. */
export function peerAddress(socket: Socket, remote: RemoteEnd = remoteEnd(socket)): string {
  return remote.address ?? (socket.localAddress === undefined ? unixPeer : gonePeer);
}

let lastAddress = '';

/** The same string as the last time where it is the same: connections of a load balancer keep one between them. */
function sameAddress(address: string): string {
  if (address !== lastAddress) lastAddress = address;
  return lastAddress;
}

export function peerFacts(socket: Socket, scheme: 'http' | 'https', told?: ToldPeer, localEnd?: LocalEnd): PeerFacts {
  if (told !== undefined) {
    const { local, remote } = told;
    return {
      serverName: local.address,
      serverPort: local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
      scheme: told.isTls ? 'https' : scheme,
      host: undefined,
    };
  }
  const remote = remoteEnd(socket);
  // A unix socket has no addresses.
  return {
    serverName: localEnd?.address ?? socket.localAddress ?? unixPeer,
    serverPort: localEnd?.port ?? (socket.localPort === undefined ? '' : String(socket.localPort)),
    remoteAddress: sameAddress(peerAddress(socket, remote)),
    remotePort: remote.port === undefined ? '' : String(remote.port),
    scheme,
    host: undefined,
  };
}
