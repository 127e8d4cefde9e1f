/** Takes a connection of our own loop out of service, with every byte of it that is here. */
import type { Socket } from 'node:net';
import { detach, reattach } from '../../shared/node-private.ts';
import type { PeerFacts } from '../environ.ts';
import { disown, own } from '../socket-owner.ts';
import type { SocketOwner } from '../socket-owner.ts';
import type { Released } from './mover.ts';

export interface Withdrawal {
  readonly socket: Socket;
  readonly peer: PeerFacts;
  /** it has had so many */
  readonly requests: number;
  readonly owner: SocketOwner;
  /** the bytes that wait to be parsed */
  readonly takeRest: () => Buffer;
  /** serves it again, here */
  readonly resume: (rest: Buffer) => void;
}

/** Undefined, with nothing changed, when Node does not let go of it. */
export function withdraw({ socket, peer, requests, owner, takeRest, resume }: Withdrawal): Released | undefined {
  disown(socket);
  const detached = detach(socket);
  if (detached === undefined) {
    own(socket, owner);
    return undefined;
  }
  // Nobody reads or writes it: what could go wrong is the business of whoever gets it.
  socket.on('error', ignoreError);
  const rest = detached.rest === undefined ? Buffer.from(takeRest()) : Buffer.concat([takeRest(), detached.rest]);
  return {
    handle: detached.handle,
    connection: rest.length === 0 ? { peer, requests } : { peer, requests, rest: rest.toString('base64') },
    drop: () => socket.destroy(),
    resume: () => {
      if (socket.destroyed) return;
      socket.off('error', ignoreError);
      // Bytes come in a later turn. Before `resume`, since that may send it off again.
      reattach(socket);
      resume(rest);
    },
  };
}

function ignoreError(): void {
  // 'close' follows.
}
