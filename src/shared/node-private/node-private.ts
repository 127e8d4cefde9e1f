/**
 * All that uses undocumented API of Node is here and in the folder beside it. It was tried on Node 20, 22, 24 and 26 (Linux). Each part is
 * probed by the operations that it is used for, and has a fallback of its own; `EVY_PRIVATE_API=off` turns all of it off.
 *
 * What is needed and why:
 * - listening.ts. `listenUnpolled`: a socket that listens while this process never accepts from it. A net.Server always accepts.
 *   `attachListening`: a net.Server on an inherited listening descriptor. In a node:cluster worker `listen({ fd })` asks
 *   the primary to open that number. `acceptGate`: to stop accepting for a while, without closing. TCP needs no private API where
 *   there is `net.BoundSocket`, unix sockets do. Fallback: the master accepts with a plain net.Server and hands each connection on.
 * - raw-connections.ts: connections on libuv's own handles, read into one buffer of the process and written to past the queue of a
 *   stream: raw-connection.ts is one of them, stream-wrap.ts what Node offers for it, transport.ts what the HTTP loop knows of it.
 * - moving.ts: connections that go to another process. http-connections.ts: those of node:http that may, and what it sent.
 * - remote-end.ts: getpeername(2), which a socket would remember, and which fails once a connection is over.
 * - channel.ts: a guard around the channel to a child process.
 * - tls.ts: the socket that a TLS connection was made on.
 * - ended-stream.ts: a stream that has told its end, for whoever reads it next.
 * - reset.ts: RST without a FIN before it.
 */
import { tryTcp, tryUnix } from './listening.ts';
import { tryMoving } from './moving.ts';
import { tryRaw, tryReset } from './raw-connections.ts';
import { privateApiIsOff } from './raw.ts';
import { giveUpReset, resetIsGivenUp } from './reset.ts';
import { giveUpStreamWrap, streamWrap } from './stream-wrap.ts';

export { closeHandle, guardChannel } from './channel.ts';
export { readAgain } from './ended-stream.ts';
export { headBytes, idleHttpSockets } from './http-connections.ts';
export { acceptGate, attachListening, isTcp, listenUnpolled } from './listening.ts';
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

/** What is probed, each on its own. */
export const privateParts = ['tcpSockets', 'unixSockets', 'moving', 'rawConnections', 'reset'] as const;
export type PrivatePart = (typeof privateParts)[number];

/** Why parts do not work here. A part that works, or was not asked for, is absent. */
export type PrivateFaults = Readonly<Partial<Record<PrivatePart, string>>>;

/** the reason when nothing was tried */
export const switchedOff = 'EVY_PRIVATE_API=off';

const trials: Readonly<Record<PrivatePart, () => Promise<void>>> = {
  tcpSockets: tryTcp,
  unixSockets: tryUnix,
  moving: tryMoving,
  rawConnections: tryRaw,
  reset: tryReset,
};
/** what may work without private API */
const publicParts: ReadonlySet<PrivatePart> = new Set<PrivatePart>(['tcpSockets']);
const results = new Map<PrivatePart, Promise<string | undefined>>();

/** Undefined when it works, or else why not. */
async function faultOf(trial: () => Promise<void>): Promise<string | undefined> {
  try {
    await trial();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function probe(part: PrivatePart): Promise<string | undefined> {
  if (privateApiIsOff()) return publicParts.has(part) ? faultOf(trials[part]) : Promise.resolve(switchedOff);
  const known = results.get(part) ?? faultOf(trials[part]);
  results.set(part, known);
  return known;
}

/** Tries, once a process, what of these parts works here. */
export async function probePrivateApi(parts: readonly PrivatePart[]): Promise<PrivateFaults> {
  const faults = await Promise.all(parts.map(async (part) => [part, await probe(part)] as const));
  return Object.fromEntries(faults.filter(([, fault]) => fault !== undefined));
}

/** What of connections works, as far as it was tried in this process: its workers need not try it again. */
export interface ConnectionParts {
  readonly rawConnections: boolean;
  readonly reset: boolean;
}

export function connectionParts(): ConnectionParts {
  return { rawConnections: streamWrap() !== undefined, reset: !resetIsGivenUp() };
}

/** Goes by what the master has found out. Returns why raw connections, if they work there, do not here. */
export function adoptParts(found: ConnectionParts): string | undefined {
  if (!found.reset) giveUpReset();
  if (!found.rawConnections) giveUpStreamWrap();
  else if (streamWrap() === undefined && !privateApiIsOff()) return 'process.binding() does not give stream_wrap';
  return undefined;
}
