/** The worker's end of the line to its master. */
import type { Socket } from 'node:net';
import { enclose, fromMaster } from '../../shared/protocol/messages.ts';
import type { MasterToWorker, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';

/**
 * As long as a descriptor has not been confirmed Node keeps back the 'disconnect' of a channel that closes: for ever, when it was
 * the other side that died. So from the first descriptor on the channel is looked at.
 */
const lookEveryMs = 250;
let watch: NodeJS.Timeout | undefined;
let channelLost: () => void = () => {};

/** Sends, with a connection if there is one; `done` is called later on, with an error when the message cannot leave. */
export function sendToMaster(
  message: WorkerToMaster,
  handle?: PassedHandle,
  done: (error: Error | null) => void = () => {},
): void {
  try {
    if (process.send === undefined || !process.connected) throw new Error('the channel is closed');
    process.send(enclose(message), handle as Socket | undefined, { keepOpen: true }, done);
    if (handle !== undefined) watch ??= setInterval(() => process.connected || channelLost(), lookEveryMs).unref();
  } catch (error) {
    queueMicrotask(() => done(error as Error)); // also a handle that this Node does not send
  }
}

/** Sends; resolves once the message has left, or cannot any more. */
export function tellMaster(message: WorkerToMaster): Promise<void> {
  return new Promise((resolve) => sendToMaster(message, undefined, () => resolve()));
}

/** `onMessage` gets what the master sends, `onLost` is called once when the master is gone. */
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
