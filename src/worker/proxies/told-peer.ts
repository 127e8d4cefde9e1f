/** What a PROXY protocol header tells about the connection behind it. */
import { unixPeer } from '../../shared/options/peer-list.ts';

export interface Endpoint {
  /** an IP address, or 'unix' */
  address: string;
  /** '' for unix */
  port: string;
}

/** The connection as its sender accepted it. */
export interface ToldPeer {
  remote: Endpoint;
  local: Endpoint;
  /** the client spoke TLS to the sender (version 2, PP2_TYPE_SSL) */
  isTls: boolean;
}

/** 'own': valid, and the connection speaks for itself: a health check (LOCAL), or nothing is known (UNKNOWN). */
export type HeaderResult = ToldPeer | 'own' | 'bad';

export const unixEndpoint: Endpoint = { address: unixPeer, port: '' };
