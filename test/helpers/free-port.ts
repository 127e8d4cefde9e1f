/**
 * Ports for what cannot listen on port 0: a program of somebody else, or an address that is to be bound again. They are below
 * those that the kernel hands out by itself, and each mocha process has a range of its own, so that nobody else gets one meanwhile.
 */
import { createServer } from 'node:net';

const first = 10_000;
const rangeSize = 1_000;
const ranges = 20;
const start = first + (Number(process.env.MOCHA_WORKER_ID ?? 0) % ranges) * rangeSize;
/** Another run on this machine begins elsewhere. */
let next = process.pid % rangeSize;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < rangeSize; tries += 1) {
    const port = start + next;
    next = (next + 1) % rangeSize;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${start} to ${start + rangeSize - 1} is free`);
}
