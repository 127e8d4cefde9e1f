/**
 * `npm run bench:memory [-- --connections 12000 --rounds 3 --at-most 0.4]`
 *
 * What a kept connection costs a server that has answered it once: by how much the resident memory grows with each, after garbage
 * collection. A crowd of others has come and gone before, and the growth is the slope of the line through six points, from a sixth of the
 * connections to all of them: what a process has to spare, and what is collected late, would decide about a difference of two. Ours and
 * node:http in turns, each in a process of its own, on the same Node. Then every connection sends the head of its next request a byte at a time. Meanwhile another client asks: what
 * it waits for shows whether the many delay anybody.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openFilesLimit } from '../../src/worker/accepting/descriptor-watch.ts';
import { BenchChild } from './child.ts';
import type { HolderProtocol } from './holder.ts';
import type { HoldingProtocol } from './servers/holding.ts';
import { workNamed } from './works.ts';

interface Cost {
  idleBytes: number;
  drippingBytes: number;
}

const { request, job } = workNamed('hello');
process.env['BENCH_JOB'] = job;
/** connections that come and go before */
const passing = 2_000;
/** and by how many steps those come that stay: a client process each, from an address each, for a pair has only so many ports */
const steps = 6;
const perStep = 250;
const drips = 3;
const leastAsks = 200;
const askEveryMs = 5;
const spareFiles = 200;
/** a young generation that grows and shrinks as it likes would hide some KiB a connection */
const serverFlags = ['--expose-gc', '--max-semi-space-size=1'];

/** Median and 99th percentile of another client's waits, as long as `during` takes. */
async function waits(port: number, during: Promise<unknown> = Promise.resolve()): Promise<string> {
  const over = new AbortController();
  void during.finally(() => over.abort());
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const times: number[] = [];
  while (!over.signal.aborted || times.length < leastAsks) {
    const start = performance.now();
    socket.write(request);
    await once(socket, 'data');
    times.push(performance.now() - start);
    await sleep(askEveryMs);
  }
  socket.destroy();
  times.sort((a, b) => a - b);
  return `${times[Math.floor(times.length / 2)]!.toFixed(2)} ms, 99 % within ${times[Math.floor(times.length * 0.99)]!.toFixed(2)} ms`;
}

interface Point {
  connections: number;
  bytes: number;
}

/** Of the line with the least squares. */
function slope(points: readonly Point[]): number {
  const mean = (values: number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.connections)), mean(points.map((point) => point.bytes))];
  const spread = points.reduce((sum, point) => sum + (point.connections - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.connections - x) * (point.bytes - y), 0) / spread;
}

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(2)} KiB`;

/** Connections of a client process of its own, a step at a time. */
async function open(port: number, count: number, from: string): Promise<BenchChild<HolderProtocol>> {
  const holder = new BenchChild<HolderProtocol>('./holder.ts');
  for (let opened = 0; opened < count; opened += perStep)
    await holder.ask('open', { port, from, count: Math.min(perStep, count - opened), request });
  return holder;
}

async function measure(name: 'evy' | 'node:http', connections: number): Promise<Cost> {
  const server = new BenchChild<HoldingProtocol>('./servers/holding.ts', [name], undefined, serverFlags);
  const holders: Array<BenchChild<HolderProtocol>> = [];
  try {
    const port = await server.ask('port');
    await waits(port); // compiled
    console.log(`${name}\n  another client waits ${await waits(port)}`);
    await (await open(port, passing, '127.0.0.2')).end();
    const points: Point[] = [];
    for (let step = 0; step < steps; step += 1) {
      const count = Math.round(connections / steps);
      holders.push(await open(port, count, `127.0.0.${holders.length + 3}`));
      points.push({ connections: (step + 1) * count, bytes: await server.ask('memory') });
    }
    const idleBytes = slope(points);
    console.log(`  ${connections} idle: ${kibibytes(idleBytes)} each; another client waits ${await waits(port)}`);
    const dripping = (async () => {
      for (let times = 0; times < drips; times += 1) await Promise.all(holders.map((holder) => holder.ask('drip')));
    })();
    const meanwhile = await waits(port, dripping);
    await dripping;
    const last = points.at(-1)!;
    const drippingBytes = idleBytes + ((await server.ask('memory')) - last.bytes) / last.connections;
    console.log(`  ${connections} dripping: ${kibibytes(drippingBytes)} each; another client waits ${meanwhile}`);
    const alive = (await Promise.all(holders.map((holder) => holder.ask('alive')))).reduce((sum, one) => sum + one, 0);
    const lost = last.connections - alive;
    if (lost > 0) throw new Error(`${lost} connections were lost`);
    return { idleBytes, drippingBytes };
  } finally {
    await Promise.all([server, ...holders].map((child) => child.end()));
  }
}

const { values } = parseArgs({
  options: {
    'connections': { type: 'string', default: '12000' },
    'rounds': { type: 'string', default: '3' },
    'at-most': { type: 'string', default: 'Infinity' },
  },
});
const wanted = Number(values.connections);
const connections = Math.min(wanted, (openFilesLimit() ?? Infinity) - spareFiles);
if (connections < wanted) console.log(`open files are limited: ${connections} connections instead of ${wanted}`);
console.log(`memory of kept connections, Node ${process.versions.node}`);
const ratios: number[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  const ours = await measure('evy', connections);
  const theirs = await measure('node:http', connections);
  ratios.push(ours.idleBytes / theirs.idleBytes);
  console.log(
    `ratio: ${ratios.at(-1)!.toFixed(2)} idle, ${(ours.drippingBytes / theirs.drippingBytes).toFixed(2)} dripping\n`,
  );
}
ratios.sort((a, b) => a - b);
const ratio = ratios[Math.floor(ratios.length / 2)]!;
console.log(`median of ${ratios.length}: ${ratio.toFixed(2)}`);
if (ratio > Number(values['at-most'])) {
  console.error(`the ratio is above ${values['at-most']}`);
  process.exitCode = 1;
}
