/** The load generator: as fast as it goes, at a given pace, or as clients that do not read. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerParent, type LoadProtocol, type LoadTask, type PacedTask } from './child.ts';
import { Batch, measureResponse, open } from './load-connections.ts';

let sockets = new Set<Socket>();
let stopping = false;
let responses = 0;
/** bytes of responses that are not whole yet count as parts of one */
let batches: Batch[] = [];
let responseBytes = 1;

function keep(socket: Socket): Socket {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => {
    sockets.delete(socket);
    if (!stopping) throw new Error('the server closed a connection of the load generator');
  });
  return socket;
}

/** Sends, waits for all responses, and sends again. */
async function askAgainAndAgain({ port, request, pipeline }: LoadTask): Promise<void> {
  const message = Buffer.from(request.repeat(pipeline), 'latin1');
  const batch = new Batch(responseBytes * pipeline);
  batches.push(batch);
  const socket = await open(port, (bytes, length) => {
    if (!batch.take(bytes, length)) return;
    responses += pipeline;
    if (!stopping) socket.write(message);
  });
  keep(socket).write(message);
}

/** Connects, asks once, sees the server close, and begins anew. */
async function connectAgainAndAgain({ port, request }: LoadTask): Promise<void> {
  const goesOn = () => !stopping;
  while (goesOn()) {
    const batch = new Batch(responseBytes);
    let whole = false;
    const socket = await open(port, (bytes, length) => {
      whole = batch.take(bytes, length);
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.end(request);
    await closed;
    if (!whole) throw new Error('a connection ended without its response');
    responses += 1;
  }
}

/**
 * Requests are due at fixed times, whether the server keeps up or not, and the time counts from there: a server that
 * stalls cannot hide it by not being asked.
 */
async function paced({ port, request, connections, requestsPerSecond, seconds }: PacedTask): Promise<number[]> {
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
    free.push(keep(socket));
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

function begin(): void {
  stopping = false;
  responses = 0;
  batches = [];
}

function end(): undefined {
  stopping = true;
  for (const socket of sockets) socket.destroy();
  sockets = new Set();
}

answerParent<LoadProtocol>({
  async start(task) {
    begin();
    responseBytes = await measureResponse(task);
    const one = task.fresh ? connectAgainAndAgain : askAgainAndAgain;
    for (let count = 0; count < task.connections; count += 1) void one(task);
    return undefined;
  },
  count: () => responses + batches.reduce((sum, { received }) => sum + received, 0) / responseBytes,
  stop: end,
  async paced(task) {
    begin();
    responseBytes = await measureResponse(task);
    const latencies = await paced(task);
    end();
    return latencies;
  },
  async readSlowly({ port, request, connections }) {
    begin();
    for (let count = 0; count < connections; count += 1) {
      let read = 0;
      const socket = await open(port, (_bytes, length) => {
        read += length;
        if (read > 100_000) socket.pause();
      });
      keep(socket).write(request);
    }
    return undefined;
  },
});
