/** The addresses of a connection as the environment shows them: read once, from the PROXY header or from the system. */
import { unixPeer } from '../../shared/options/peer-list.ts';
import type { End, LocalEnd, Transport } from '../../shared/node-private/node-private.ts';

/** The ends of a connection: the same for all its requests, unless trusted proxies report others. */
export interface PeerFacts {
  serverName: string;
  serverPort: string;
  remoteAddress: string;
  remotePort: string;
  scheme: 'http' | 'https';
  /** The Host of the client's request as a trusted proxy reports it; undefined when it does not. */
  host?: string | undefined;
}

export interface Endpoint {
  /** an IP address, or 'unix' */
  address: string;
  /** '' for unix */
  port: string;
}

/** The facts in a PROXY header: the connection as the proxy accepted it. */
export interface ToldPeer {
  remote: Endpoint;
  local: Endpoint;
  /** Whether the client used TLS to the proxy (version 2, PP2_TYPE_SSL). */
  isTls: boolean;
}

/** Further facts about a connection that was just accepted. */
export interface ConnectionFacts {
  readonly scheme: 'http' | 'https';
  /** The server's end, where all connections of a listening socket share it. */
  readonly local?: LocalEnd | undefined;
  /** The facts from its PROXY header. */
  readonly told?: ToldPeer | undefined;
  /** Bytes that arrived behind that header. */
  readonly rest?: Buffer | undefined;
}

/** The address of a TCP peer that reset its connection before it was accepted. Its bytes may still be readable. */
export const gonePeer = 'unknown';

type Ends = Pick<Transport, 'localEnd' | 'remoteEnd'>;

/** The address of the peer; 'unix' for one on a unix socket, which no TCP peer can have. */
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
