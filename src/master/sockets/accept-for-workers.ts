/**
 * The fallback where workers cannot inherit listening sockets: the master accepts, and sends each connection to the
 * ready workers in turn, with documented API only. While no worker is ready, or the server has maxConnections
 * connections, new ones wait here as they would in the kernel's queue. Each connection costs the master work, and
 * waiting ones are lost if the master dies.
 */
import type { Socket } from 'node:net';
import type { MasterToWorker } from '../../shared/protocol/messages.ts';
import type { Listener } from './listeners.ts';

/** The part of a worker that the dispatcher needs. */
export interface Recipient {
  send(message: MasterToWorker, socket: Socket, done: (error: Error | null) => void): void;
  /** one more connection has been sent to it */
  noteConnection(): void;
}

/** How many more connections the whole server may have, as far as the connections of each worker are known; a limit of 0 is no limit. */
export function roomWithin(limit: number, workers: ReadonlyArray<{ readonly connections: number }>): number {
  return limit === 0 ? Infinity : limit - workers.reduce((sum, { connections }) => sum + connections, 0);
}

interface Connection {
  readonly bind: number;
  readonly socket: Socket;
}

export class ConnectionDispatcher {
  readonly #readyWorkers: () => readonly Recipient[];
  readonly #room: () => number;
  readonly #waiting: Connection[] = [];
  /** Sent to a worker's channel, which transfers one at a time; a channel that closes drops its queue silently. */
  readonly #underWay = new Map<Connection, Recipient>();
  #turn = 0;

  /** `room` tells how many connections may be sent now. */
  constructor(listeners: readonly Listener[], readyWorkers: () => readonly Recipient[], room: () => number) {
    this.#readyWorkers = readyWorkers;
    this.#room = room;
    listeners.forEach(({ server }, bind) => {
      server?.on('connection', (socket) => {
        // pauseOnConnect keeps it unread here. Its errors are left to the worker.
        socket.on('error', () => {});
        this.#waiting.push({ bind, socket });
        this.flush();
      });
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends waiting connections. To be called when a worker becomes ready, or reports its number of connections. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const workers = this.#readyWorkers();
    if (workers.length === 0) return;
    for (const next of this.#waiting.splice(0, Math.max(0, this.#room()))) {
      this.#turn += 1;
      this.#give(next, workers[this.#turn % workers.length]!);
    }
  }

  /** A worker has exited: connections that did not reach it go to another one. */
  gone(worker: Recipient): void {
    for (const [connection, recipient] of this.#underWay) if (recipient === worker) this.#requeue(connection);
    this.flush();
  }

  #give(connection: Connection, worker: Recipient): void {
    const { bind, socket } = connection;
    this.#underWay.set(connection, worker);
    worker.noteConnection();
    worker.send({ type: 'connection', bind }, socket, (error) => {
      if (this.#underWay.get(connection) !== worker) return; // requeued before
      if (error) {
        this.#requeue(connection);
        setImmediate(() => this.flush());
        return;
      }
      // The channel holds the connection now (unix(7), SCM_RIGHTS), so only our copy is closed.
      this.#underWay.delete(connection);
      socket.destroy();
    });
  }

  #requeue(connection: Connection): void {
    this.#underWay.delete(connection);
    this.#waiting.push(connection);
  }

  /** Closes the waiting connections. */
  close(): void {
    for (const { socket } of [...this.#waiting.splice(0), ...this.#underWay.keys()]) socket.destroy();
    this.#underWay.clear();
  }
}
