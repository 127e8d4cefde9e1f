/** The worker's end of the channel to its master. */
import type { Socket } from 'node:net';
import { enclose, fromMaster } from '../../shared/protocol/messages.ts';
import type { MasterToWorker, WorkerToMaster } from '../../shared/protocol/messages.ts';
import { isFromCluster, isInternal } from '../../shared/protocol/internal-messages.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';

/** Node's own function, which an application may replace or remove. */
const nodeSend = process.send?.bind(process);

/**
 * Until a descriptor was confirmed, Node delays the 'disconnect' of a closed channel: forever, if the other side has
 * died. So from the first descriptor on the channel is checked at this interval.
 */
const lookEveryMs = 250;
let watch: NodeJS.Timeout | undefined;
let channelLost: () => void = () => {};

/**
 * Sends a message, with a connection if there is one. `done` is called later, with an error when the message cannot be
 * sent.
 */
export function sendToMaster(
  message: WorkerToMaster,
  handle?: PassedHandle,
  done: (error: Error | null) => void = () => {},
): void {
  try {
    if (nodeSend === undefined || !process.connected) throw new Error('the channel is closed');
    nodeSend(enclose(message), handle as Socket | undefined, { keepOpen: true }, done);
    if (handle !== undefined) watch ??= setInterval(() => process.connected || channelLost(), lookEveryMs).unref();
  } catch (error) {
    queueMicrotask(() => done(error as Error)); // also a handle that this Node does not send
  }
}

export interface RefusedSend {
  readonly what: string;
  readonly reason: string;
}

/**
 * Returns why an application must not send this message to its master, or undefined when it may. `isFromNode`:
 * node:cluster sent it.
 */
export function refusedSend(message: unknown, handle: unknown, isFromNode: boolean): RefusedSend | undefined {
  if (isInternal(message)) {
    if (isFromNode && isFromCluster(message)) return undefined;
    const cmd = message.cmd.slice(0, 40);
    return { what: `{ cmd: '${cmd}' }`, reason: 'a cmd that begins with NODE_ is reserved by Node.js' };
  }
  if (typeof message === 'object' && message !== null && 'evy' in message)
    return { what: 'a message with the key evy', reason: 'it is reserved by evy' };
  if (handle !== undefined && handle !== null)
    return { what: 'a socket or a server', reason: 'the master takes none from an application' };
  return undefined;
}

type Callback = (error: Error | null) => void;

/**
 * From now on `process.send()` rejects messages that an application must not send. The master is told, once for each
 * reason.
 */
export function guardSend(): void {
  if (nodeSend === undefined) return;
  const told = new Set<string>();
  const send = (message: unknown, ...rest: unknown[]): boolean => {
    const [handle] = rest;
    // Node's own code calls it exactly like this: with `null` as handle, and no further arguments.
    const isFromNode = rest.length === 1 && handle === null;
    const refused = refusedSend(message, typeof handle === 'function' ? undefined : handle, isFromNode);
    if (refused === undefined) return Reflect.apply(nodeSend, process, [message, ...rest]) as boolean;
    if (!told.has(refused.reason)) void tellMaster({ type: 'send-refused', ...refused });
    told.add(refused.reason);
    const callback = rest.find((value): value is Callback => typeof value === 'function');
    if (callback !== undefined)
      process.nextTick(callback, new Error(`${refused.what} was not sent: ${refused.reason}`));
    return false;
  };
  process.send = send;
}

/** Sends a message. Resolves when it was sent, or cannot be sent any more. */
export function tellMaster(message: WorkerToMaster): Promise<void> {
  return new Promise((resolve) => sendToMaster(message, undefined, () => resolve()));
}

/** `onMessage` gets the master's messages; `onLost` is called once when the master is gone. */
export function listenToMaster(
  onMessage: (message: MasterToWorker, handle: unknown) => void,
  onLost: () => void,
): void {
  process.on('message', (value, handle) => {
    const message = fromMaster(value);
    if (message !== undefined) onMessage(message, handle);
  });
  channelLost = () => {
    channelLost = () => {};
    clearInterval(watch);
    onLost();
  };
  process.once('disconnect', () => channelLost());
}
