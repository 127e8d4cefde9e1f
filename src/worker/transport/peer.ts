/** Addresses of a connection as the environment shows them, read once: from its PROXY header, or from the system. */
import { unixPeer } from '../../shared/options/peer-list.ts';
import type { End, Transport } from '../../shared/node-private/node-private.ts';
import type { Arrival } from '../accepting/arrival.ts';
import type { PeerFacts } from '../request/environ.ts';

/** The address of a TCP peer that reset its connection before it was accepted; what it sent may be there all the same. */
export const gonePeer = 'unknown';

/** Both ends of a connection, as a transport tells them. */
type Ends = Pick<Transport, 'localEnd' | 'remoteEnd'>;

/** The address of the peer, 'unix' for one on a unix socket: a word that nobody who came by TCP gets. */
export function peerAddress(ends: Ends, remote: End = ends.remoteEnd): string {
  return remote.address ?? (ends.localEnd.address === undefined ? unixPeer : gonePeer);
}

let lastAddress = '';

/** The same string as the last time where it is the same: connections of a load balancer keep one between them. */
function sameAddress(address: string): string {
  if (address !== lastAddress) lastAddress = address;
  return lastAddress;
}

export function peerFacts(ends: Ends, { scheme, told, local }: Arrival): PeerFacts {
  if (told !== undefined) {
    const { remote } = told;
    return {
      serverName: told.local.address,
      serverPort: told.local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
      scheme: told.isTls ? 'https' : scheme,
      host: undefined,
    };
  }
  const remote = ends.remoteEnd;
  const { address, port } = local ?? ends.localEnd;
  // A unix socket has no addresses.
  return {
    serverName: address ?? unixPeer,
    serverPort: port === undefined ? '' : String(port),
    remoteAddress: sameAddress(peerAddress(ends, remote)),
    remotePort: remote.port === undefined ? '' : String(remote.port),
    scheme,
    host: undefined,
  };
}
