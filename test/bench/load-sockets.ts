/** The connections that a load generator keeps open: a server that closes one of them has failed the bench. */
import type { Socket } from 'node:net';

export class Sockets {
  #open = new Set<Socket>();

  keep(socket: Socket): Socket {
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#open.delete(socket)) throw new Error('the server closed a connection of the load generator');
    });
    return socket;
  }

  closeAll(): void {
    const open = this.#open;
    this.#open = new Set();
    for (const socket of open) socket.destroy();
  }
}
