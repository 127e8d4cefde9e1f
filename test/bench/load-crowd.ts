/**
 * The connections that ask one server as fast as they can, for a slice of time at a time: between slices they stay open
 * and quiet, so that servers can be measured in turns without connecting anew.
 */
import { performance } from 'node:perf_hooks';
import type { LoadTask, Slice } from './child.ts';
import { Batch, measureResponse, open } from './load-connections.ts';
import type { Sockets } from './load-sockets.ts';

export interface Crowd {
  /** Asks for `ms`, then waits for what is under way: every request of the slice has its whole response within it. */
  run(ms: number): Promise<Slice>;
}

/**
 * Keeps the process from sleeping until `isOver`. A server's writes would have to wake it up otherwise, the more often the
 * slower the server is, and would be billed for that; clients on other machines are not woken by the server's kernel.
 */
function poll(isOver: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isOver()) resolve();
      else setImmediate(look);
    };
    look();
  });
}

/** Connections that are kept: each asks, waits for all responses, and asks again. */
class KeptCrowd implements Crowd {
  readonly #task: LoadTask;
  readonly #sockets: Sockets;
  readonly #askers: Array<() => void> = [];
  #goesOn = false;
  #asking = 0;
  #responses = 0;

  constructor(task: LoadTask, sockets: Sockets) {
    this.#task = task;
    this.#sockets = sockets;
  }

  async open(responseBytes: number): Promise<void> {
    const { port, request, pipeline, connections } = this.#task;
    const message = Buffer.from(request.repeat(pipeline), 'latin1');
    for (let count = 0; count < connections; count += 1) {
      const batch = new Batch(responseBytes * pipeline);
      const socket = await open(port, (bytes, length) => {
        if (!batch.take(bytes, length)) return;
        this.#responses += pipeline;
        if (this.#goesOn) socket.write(message);
        else this.#asking -= 1;
      });
      this.#sockets.keep(socket);
      this.#askers.push(() => socket.write(message));
    }
  }

  async run(ms: number): Promise<Slice> {
    const startMs = performance.now();
    this.#responses = 0;
    this.#goesOn = true;
    this.#asking = this.#askers.length;
    for (const ask of this.#askers) ask();
    await poll(() => performance.now() - startMs >= ms);
    this.#goesOn = false;
    await poll(() => this.#asking === 0);
    return { responses: this.#responses, ms: performance.now() - startMs };
  }
}

/** A connection for each request: connect, ask once, see the server close, and begin anew. */
class FreshCrowd implements Crowd {
  readonly #task: LoadTask;
  readonly #responseBytes: number;

  constructor(task: LoadTask, responseBytes: number) {
    this.#task = task;
    this.#responseBytes = responseBytes;
  }

  async #askOnce(): Promise<void> {
    const batch = new Batch(this.#responseBytes);
    let isWhole = false;
    const socket = await open(this.#task.port, (bytes, length) => {
      isWhole = batch.take(bytes, length);
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.end(this.#task.request);
    await closed;
    if (!isWhole) throw new Error('a connection ended without its response');
  }

  async run(ms: number): Promise<Slice> {
    const startMs = performance.now();
    let responses = 0;
    const askAgainAndAgain = async (): Promise<void> => {
      while (performance.now() - startMs < ms) {
        await this.#askOnce();
        responses += 1;
      }
    };
    await Promise.all(Array.from({ length: this.#task.connections }, askAgainAndAgain));
    return { responses, ms: performance.now() - startMs };
  }
}

/** Asks once to learn the size of a response, and opens the connections that are to be kept. */
export async function openCrowd(task: LoadTask, sockets: Sockets): Promise<Crowd> {
  const responseBytes = await measureResponse(task);
  if (task.fresh) return new FreshCrowd(task, responseBytes);
  const crowd = new KeptCrowd(task, sockets);
  await crowd.open(responseBytes);
  return crowd;
}
