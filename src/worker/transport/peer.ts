/** Who is at the ends of a connection, as the environment shows it: read once, from the PROXY header or from the system. */
import { unixPeer } from '../../shared/options/peer-list.ts';
import type { End, LocalEnd, Transport } from '../../shared/node-private/node-private.ts';

/** Who is connected: the same for each request of a connection, unless trusted proxies say otherwise. */
export interface PeerFacts {
  serverName: string;
  serverPort: string;
  remoteAddress: string;
  remotePort: string;
  scheme: 'http' | 'https';
  /** The Host that a trusted proxy says its client asked for; undefined when it does not say. */
  host?: string | undefined;
}

export interface Endpoint {
  /** an IP address, or 'unix' */
  address: string;
  /** '' for unix */
  port: string;
}

/** What a PROXY header says of the connection behind it: the connection as its sender accepted it. */
export interface ToldPeer {
  remote: Endpoint;
  local: Endpoint;
  /** The client spoke TLS to the sender (version 2, PP2_TYPE_SSL). */
  isTls: boolean;
}

/** What is known of a connection that was just accepted, beside its own ends. */
export interface ConnectionFacts {
  readonly scheme: 'http' | 'https';
  /** The server's end, where it is the same for all connections of a listening socket. */
  readonly local?: LocalEnd | undefined;
  /** From its PROXY header. */
  readonly told?: ToldPeer | undefined;
  /** Bytes that came behind that header. */
  readonly rest?: Buffer | undefined;
}

/** The address of a TCP peer that reset its connection before it was accepted. What it sent may be there all the same. */
export const gonePeer = 'unknown';

type Ends = Pick<Transport, 'localEnd' | 'remoteEnd'>;

/** The address of the peer, 'unix' for one on a unix socket: a word that nobody who came by TCP gets. */
export function peerAddress(ends: Ends, remote: End = ends.remoteEnd): string {
  return remote.address ?? (ends.localEnd.address === undefined ? unixPeer : gonePeer);
}

let lastAddress = '';

/** Returns the same string object while the address repeats: connections of a load balancer share one string. */
function sameAddress(address: string): string {
  if (address !== lastAddress) lastAddress = address;
  return lastAddress;
}

export function peerFacts(ends: Ends, { scheme, told, local }: ConnectionFacts): PeerFacts {
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
  // A unix socket has no address.
  return {
    serverName: address ?? unixPeer,
    serverPort: port === undefined ? '' : String(port),
    remoteAddress: sameAddress(peerAddress(ends, remote)),
    remotePort: remote.port === undefined ? '' : String(remote.port),
    scheme,
    host: undefined,
  };
}
