/** The worker's end of the line to its master. */
import type { Socket } from 'node:net';
import { isMasterToWorker } from '../shared/messages.ts';
import type { MasterToWorker, WorkerToMaster } from '../shared/messages.ts';

/** Sends; resolves once the message has left, or cannot any more. */
export function tellMaster(message: WorkerToMaster): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

/** `onMessage` gets what the master sends, `onLost` is called once when the master is gone. */
export function listenToMaster(
  onMessage: (message: MasterToWorker, socket: Socket | undefined) => void,
  onLost: () => void,
): void {
  process.on('message', (message, handle) => {
    if (isMasterToWorker(message)) onMessage(message, handle as Socket | undefined);
  });
  process.once('disconnect', onLost);
}
