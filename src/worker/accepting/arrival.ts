/** What is known of a connection that has just been accepted, beside what it says itself. */
import type { LocalEnd } from '../../shared/node-private/node-private.ts';
import type { ToldPeer } from '../proxies/told-peer.ts';

export interface Arrival {
  readonly scheme: 'http' | 'https';
  /** our end, where it is the same for all connections of a listening socket */
  readonly local?: LocalEnd | undefined;
  /** what its PROXY header says of it */
  readonly told?: ToldPeer | undefined;
  /** what came behind that header */
  readonly rest?: Buffer | undefined;
}
