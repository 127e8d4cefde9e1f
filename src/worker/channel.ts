/** The worker's end of the line to its master. */
import type { Socket } from 'node:net';
import { enclose, fromMaster } from '../shared/messages.ts';
import type { MasterToWorker, WorkerToMaster } from '../shared/messages.ts';

/** Sends; resolves once the message has left, or cannot any more. */
export function tellMaster(message: WorkerToMaster): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(enclose(message), undefined, {}, () => resolve());
  });
}

/** `onMessage` gets what the master sends, `onLost` is called once when the master is gone. */
export function listenToMaster(
  onMessage: (message: MasterToWorker, socket: Socket | undefined) => void,
  onLost: () => void,
): void {
  process.on('message', (value, handle) => {
    const message = fromMaster(value);
    if (message !== undefined) onMessage(message, handle as Socket | undefined);
  });
  process.once('disconnect', onLost);
}
