/**
 * All that uses undocumented API of Node is here and in the folder beside it. It was tried on Node 20, 22, 24 and 26 (Linux), is probed
 * at start and has a fallback; `EVY_PRIVATE_API=off` turns all of it off.
 *
 * What is needed and why:
 * - listening.ts. `listenUnpolled`: a socket that listens while this process never accepts from it. A net.Server always accepts.
 *   Fallback: the master accepts with a plain net.Server and hands each connection on.
 *   `attachListening`: a net.Server on an inherited listening descriptor. In a node:cluster worker `listen({ fd })` asks
 *   the primary to open that number. For TCP there is a public way, for unix sockets there is not. Same fallback.
 *   `acceptGate`: to stop accepting for a while, without closing. Fallback: none, the caller goes without.
 * - raw-connections.ts: connections on libuv's own handles, read into one buffer of the process and written to past the queue of a
 *   stream: raw-connection.ts is one of them, stream-wrap.ts what Node offers for it, transport.ts what the HTTP loop knows of it.
 * - moving.ts: connections that go to another process. http-connections.ts: those of node:http that may, and what it sent.
 * - remote-end.ts: getpeername(2), which a socket would remember, and which fails once a connection is over.
 * - channel.ts: a guard around the channel to a child process.
 * - tls.ts: the socket that a TLS connection was made on.
 * - ended-stream.ts: a stream that has told its end, for whoever reads it next.
 * - reset.ts: RST without a FIN before it.
 */
import { listenOnLoopback, tryUnpolled } from './listening.ts';
import { tryMoving } from './moving.ts';
import { tryRaw } from './raw-connections.ts';
import { privateApiIsOff } from './raw.ts';

export { closeHandle, guardChannel } from './channel.ts';
export { readAgain } from './ended-stream.ts';
export { headBytes, idleHttpSockets } from './http-connections.ts';
export { acceptGate, attachListening, listenUnpolled } from './listening.ts';
export type { AcceptGate, ListenTarget, UnpolledSocket } from './listening.ts';
export { attach, detach, passedHandle, reattach } from './moving.ts';
export type { Detached, PassedHandle } from './moving.ts';
export { acceptRaw, rawConnection } from './raw-connections.ts';
export type { LocalEnd } from './raw-connections.ts';
export { isConnectionOver, remoteEnd } from './remote-end.ts';
export { resetNow } from './reset.ts';
export { socketBelow } from './tls.ts';
export { noOwner } from './transport.ts';
export type { End, Transport, TransportOwner } from './transport.ts';

export interface PrivateApi {
  /** listening sockets that are not polled, and servers on them */
  readonly inheritedSockets: boolean;
  readonly acceptGate: boolean;
  /** connections can go to another process */
  readonly moving: boolean;
  /** connections can do without a socket */
  readonly rawConnections: boolean;
  /** why something is missing, for the log */
  readonly reason?: string;
}

/** the reason when nothing was tried */
export const switchedOff = 'EVY_PRIVATE_API=off';

let probed: Promise<PrivateApi> | undefined;

/** Undefined when it works, or else why not. */
async function fault(trial: () => Promise<void>): Promise<string | undefined> {
  try {
    await trial();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

let rawFault: Promise<string | undefined> | undefined;

/** Tries, once a process, whether connections can do without a socket; why not, if they cannot. A worker may ask, too. */
export function probeRawConnections(): Promise<string | undefined> {
  if (privateApiIsOff()) return Promise.resolve(switchedOff);
  rawFault ??= fault(() => tryRaw(listenOnLoopback));
  return rawFault;
}

async function probe(): Promise<PrivateApi> {
  const [listening, moving, raw] = await Promise.all([fault(tryUnpolled), fault(tryMoving), probeRawConnections()]);
  const reason = listening ?? moving ?? raw;
  const inheritedSockets = listening === undefined;
  return {
    inheritedSockets,
    acceptGate: inheritedSockets,
    moving: moving === undefined,
    rawConnections: raw === undefined,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Tries, once a process, what of this file works here. */
export function probePrivateApi(): Promise<PrivateApi> {
  if (privateApiIsOff())
    return Promise.resolve({
      inheritedSockets: false,
      acceptGate: false,
      moving: false,
      rawConnections: false,
      reason: switchedOff,
    });
  probed ??= probe();
  return probed;
}
