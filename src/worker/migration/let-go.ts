/** Takes a connection of our own loop out of service, with every byte of it that is here. */
import type { Transport } from '../../shared/node-private/node-private.ts';
import type { PeerFacts } from '../request/environ.ts';
import type { Released } from './mover.ts';

export interface Withdrawal {
  readonly transport: Transport;
  readonly peer: PeerFacts;
  /** it has had so many */
  readonly requests: number;
  /** the bytes that wait to be parsed */
  readonly takeRest: () => Buffer;
  /** serves it again, here */
  readonly resume: (rest: Buffer) => void;
}

/** Undefined, with nothing changed, when Node does not let go of it. */
export function withdraw({ transport, peer, requests, takeRest, resume }: Withdrawal): Released | undefined {
  const detached = transport.detach();
  if (detached === undefined) return undefined;
  const rest = detached.rest === undefined ? Buffer.from(takeRest()) : Buffer.concat([takeRest(), detached.rest]);
  return {
    handle: detached.handle,
    connection: rest.length === 0 ? { peer, requests } : { peer, requests, rest: rest.toString('base64') },
    drop: () => transport.destroy(),
    resume: () => {
      if (!transport.isDestroyed) resume(rest);
    },
  };
}
