/**
 * The only access to undocumented Node API, together with the other files of this folder. It is tested on Node 20, 22,
 * 24 and 26 (Linux). Each part is probed by the operations that it is used for and has its own fallback;
 * `EVY_PRIVATE_API=off` disables all parts.
 *
 * The parts and their purpose:
 * - listening.ts. `listenUnpolled`: a socket that listens while this process never accepts from it; a net.Server always
 *   accepts. `attachListening`: a net.Server on an inherited listening descriptor; in a node:cluster worker `listen({
 *   fd })` asks the primary to open that number. `acceptGate`: pauses accepting without closing. TCP needs no private
 *   API where `net.BoundSocket` exists; unix sockets do. Fallback: the master accepts with a plain net.Server and sends
 *   each connection to a worker.
 * - raw-connections.ts: connections on libuv's own handles, which share one read buffer and write without a stream's
 *   queue. raw-connection.ts is one such connection, stream-wrap.ts the Node binding, transport.ts the interface to the
 *   HTTP loop.
 * - moving.ts: connections that move to another process. http-connections.ts: which connections of node:http are idle,
 *   and the sizes of its heads.
 * - remote-end.ts: getpeername(2), whose result a socket would cache, and which fails once a connection has ended.
 * - channel.ts: a guard around the channel to a child process.
 * - tls.ts: the socket below a TLS connection.
 * - ended-stream.ts: makes a stream readable again after 'end'.
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

/** The parts that are probed separately. */
export const privateParts = ['tcpSockets', 'unixSockets', 'moving', 'rawConnections', 'reset'] as const;
export type PrivatePart = (typeof privateParts)[number];

/** The reasons why parts do not work here. A part that works, or was not asked for, is absent. */
export type PrivateFaults = Readonly<Partial<Record<PrivatePart, string>>>;

/** the reason when nothing was probed */
export const switchedOff = 'EVY_PRIVATE_API=off';

const trials: Readonly<Record<PrivatePart, () => Promise<void>>> = {
  tcpSockets: tryTcp,
  unixSockets: tryUnix,
  moving: tryMoving,
  rawConnections: tryRaw,
  reset: tryReset,
};
/** parts that may work without private API */
const publicParts: ReadonlySet<PrivatePart> = new Set<PrivatePart>(['tcpSockets']);
const results = new Map<PrivatePart, Promise<string | undefined>>();

/** Resolves with undefined when the part works, or with the reason why it does not. */
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

/** Probes each of these parts, once per process. */
export async function probePrivateApi(parts: readonly PrivatePart[]): Promise<PrivateFaults> {
  const faults = await Promise.all(parts.map(async (part) => [part, await probe(part)] as const));
  return Object.fromEntries(faults.filter(([, fault]) => fault !== undefined));
}

/**
 * Which connection parts work, as far as this process has probed them. Workers get this from the master and do not
 * probe again.
 */
export interface ConnectionParts {
  readonly rawConnections: boolean;
  readonly reset: boolean;
}

export function connectionParts(): ConnectionParts {
  return { rawConnections: streamWrap() !== undefined, reset: !resetIsGivenUp() };
}

/** Uses the results of the master. Returns the reason when raw connections work in the master but not here. */
export function adoptParts(found: ConnectionParts): string | undefined {
  if (!found.reset) giveUpReset();
  if (!found.rawConnections) giveUpStreamWrap();
  else if (streamWrap() === undefined && !privateApiIsOff()) return 'process.binding() does not give stream_wrap';
  return undefined;
}
