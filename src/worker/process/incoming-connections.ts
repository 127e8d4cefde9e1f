/** Connections that come by the channel to the master, from another worker or since only the master can accept. */
import type { Socket } from 'node:net';
import type { MovingToWorker } from '../../shared/protocol/messages.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { Running } from './boot.ts';
import { sendToMaster } from './channel.ts';

/** How many have come, whatever becomes of them: the master knows by it which ones are still on the way. */
let received = 0;
export const receivedConnections = (): number => received;

/** One that the master accepted. `running` is undefined where nobody is to serve it any more. */
export function accept(running: Running | undefined, bind: number, socket: Socket | undefined): void {
  received += 1;
  // The client may have gone on the way.
  if (socket === undefined) return;
  // One on standby may be given what the master sent before it knew.
  if (running === undefined) {
    socket.destroy();
    return;
  }
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  running.servers[bind]?.emit('connection', socket);
}

/** One that moves: from another worker to here, unless this one is about to end, or away from here. */
export function move(running: Running | undefined, message: MovingToWorker, given: unknown, isEnding: boolean): void {
  if (message.type !== 'adopt') {
    running?.mover?.receive(message);
    return;
  }
  received += 1;
  const handle = passedHandle(given);
  if (handle === undefined) return; // no descriptor was left for it: the master finds out
  // The master has kept a copy, and gives it to another worker.
  if (running === undefined || isEnding || !process.connected) {
    handle.close();
    sendToMaster({ type: 'refused', id: message.id });
  } else {
    sendToMaster({ type: 'adopted', id: message.id });
    running.serving.adopt(message.connection, handle);
  }
}
