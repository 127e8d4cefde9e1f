/**
 * The fallback where workers cannot inherit listening sockets: the master accepts, and hands each connection to the ready
 * workers in turn, by the documented API alone. While none is ready, connections wait here as they would in the
 * kernel's queue. It costs the master work per connection, and what waits here dies with it.
 */
import type { Socket } from 'node:net';
import type { MasterToWorker } from '../shared/messages.ts';
import type { Listener } from './listeners.ts';

/** What of a worker is needed here. */
export interface Recipient {
  send(message: MasterToWorker, socket: Socket, done: (error: Error | null) => void): void;
}

interface Waiting {
  readonly bind: number;
  readonly socket: Socket;
}

export class Handover {
  readonly #readyWorkers: () => readonly Recipient[];
  readonly #waiting: Waiting[] = [];
  #turn = 0;

  constructor(listeners: readonly Listener[], readyWorkers: () => readonly Recipient[]) {
    this.#readyWorkers = readyWorkers;
    listeners.forEach(({ server }, bind) => {
      server?.on('connection', (socket) => {
        // Paused by pauseOnConnect: not a byte is read here. Its errors are the worker's business.
        socket.on('error', () => {});
        this.#waiting.push({ bind, socket });
        this.flush();
      });
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Hands over what waits; to be called whenever a worker gets ready. */
  flush(): void {
    const workers = this.#readyWorkers();
    if (workers.length === 0) return;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { bind, socket } = next;
      this.#turn += 1;
      workers[this.#turn % workers.length]!.send({ type: 'connection', bind }, socket, (error) => {
        if (!error) return;
        // The worker has gone in the meantime, and the socket is still here: another one gets it.
        this.#waiting.push({ bind, socket });
        setImmediate(() => this.flush());
      });
    }
  }

  /** Gives up what waits. */
  close(): void {
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
  }
}
