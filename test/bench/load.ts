/** The load generator: as fast as it goes, at a given pace, or as clients that do not read. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerParent, type LoadProtocol, type PacedTask } from './child.ts';
import { Batch, measureResponse, open } from './load-connections.ts';
import { openCrowd, type Crowd } from './load-crowd.ts';
import { Sockets } from './load-sockets.ts';

const sockets = new Sockets();
/** by the port of the server that they ask */
const crowds = new Map<number, Crowd>();

/**
 * Requests are due at fixed times, whether the server keeps up or not, and the time counts from there: a server that
 * stalls cannot hide it by not being asked.
 */
async function paced(
  { port, request, connections, requestsPerSecond, seconds }: PacedTask,
  responseBytes: number,
): Promise<number[]> {
  const latencies: number[] = [];
  const free: Socket[] = [];
  const dueAt = new Map<Socket, number>();
  const queue: number[] = [];
  const send = (socket: Socket, due: number): void => {
    dueAt.set(socket, due);
    socket.write(request);
  };
  for (let count = 0; count < connections; count += 1) {
    const batch = new Batch(responseBytes);
    const socket = await open(port, (bytes, length) => {
      if (!batch.take(bytes, length)) return;
      latencies.push(performance.now() - dueAt.get(socket)!);
      const next = queue.shift();
      if (next === undefined) free.push(socket);
      else send(socket, next);
    });
    free.push(sockets.keep(socket));
  }
  const start = performance.now();
  const total = requestsPerSecond * seconds;
  let due = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const now = performance.now();
      for (; due < total && start + (due * 1000) / requestsPerSecond <= now; due += 1) {
        const dueMs = start + (due * 1000) / requestsPerSecond;
        const socket = free.shift();
        if (socket === undefined) queue.push(dueMs);
        else send(socket, dueMs);
      }
      if (due < total || latencies.length < total) setImmediate(tick);
      else resolve();
    };
    tick();
  });
  return latencies;
}

function close(): undefined {
  crowds.clear();
  sockets.closeAll();
}

answerParent<LoadProtocol>({
  async open(task) {
    crowds.set(task.port, await openCrowd(task, sockets));
    return undefined;
  },
  async run({ port, ms }) {
    return crowds.get(port)!.run(ms);
  },
  close,
  async paced(task) {
    const latencies = await paced(task, await measureResponse(task));
    close();
    return latencies;
  },
  async readSlowly({ port, request, connections }) {
    for (let count = 0; count < connections; count += 1) {
      let read = 0;
      const socket = await open(port, (_bytes, length) => {
        read += length;
        if (read > 100_000) socket.pause();
      });
      sockets.keep(socket).write(request);
    }
    return undefined;
  },
});
