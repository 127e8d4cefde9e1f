/**
 * One work, done by all who can: CPU time per request of all the server's processes, and requests per second.
 *
 * Servers and load are separate processes, on a core each where there are two. All servers live through the whole
 * measurement and are measured in turns, the order reversed every other round, so that what drifts (clock rate,
 * neighbours) hits all; the ratios are taken within a round, and their median is the result.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchChild, type LoadProtocol, type ServerProtocol } from './child.ts';
import { cpuMs, processTree } from './cpu.ts';
import { rivalsFor } from './rivals.ts';
import { median, medianRatio, printTable, spread } from './stats.ts';
import type { Work } from './works.ts';

export interface Effort {
  rounds: number;
  seconds: number;
}

interface Measured {
  name: string;
  server: BenchChild<ServerProtocol>;
  /** CPU time of each round's request */
  costUs: number[];
  perSecond: number[];
}

const warmUpSeconds = 2;
const settleMs = 150;

async function measureOnce(one: Measured, load: BenchChild<LoadProtocol>, work: Work, seconds: number): Promise<void> {
  const { request, connections, pipeline, fresh } = work;
  await load.ask('start', { request, connections, pipeline, fresh, port: await one.server.ask('port') });
  await sleep(settleMs);
  const pids = processTree(one.server.pid);
  const before = { cpuMs: cpuMs(pids), count: await load.ask('count'), atMs: performance.now() };
  await sleep(seconds * 1000);
  const after = { cpuMs: cpuMs(pids), count: await load.ask('count'), atMs: performance.now() };
  await load.ask('stop');
  const count = after.count - before.count;
  one.costUs.push(((after.cpuMs - before.cpuMs) * 1000) / count);
  one.perSecond.push((count * 1000) / (after.atMs - before.atMs));
}

function print(work: Work, measured: readonly Measured[]): number {
  const [ours] = measured;
  const rows = measured.map((one) => [
    one.name,
    median(one.costUs).toFixed(1),
    median(one.perSecond).toFixed(0),
    medianRatio(one.costUs, ours!.costUs).toFixed(2),
    spread(one.costUs, ours!.costUs),
    medianRatio(ours!.perSecond, one.perSecond).toFixed(2),
  ]);
  console.log(`### ${work.name}: ${work.title} (target ${work.target} x)\n`);
  printTable(['server', 'CPU us/request', 'requests/s', 'evy: CPU x', 'rounds', 'evy: throughput x'], rows);
  const [, first] = measured;
  if (first === undefined) return Infinity;
  return work.measure === 'cpu'
    ? medianRatio(first.costUs, ours!.costUs)
    : medianRatio(ours!.perSecond, first.perSecond);
}

/** Prints a table; returns the ratio against the first rival. */
export async function compare(work: Work, { rounds, seconds }: Effort): Promise<number> {
  process.env['BENCH_JOB'] = work.job;
  const core = work.fresh ? [undefined, undefined] : ([0, 1] as const);
  const load = new BenchChild<LoadProtocol>('./load.ts', [], core[1]);
  const measured: Measured[] = rivalsFor(work).map(({ name, file, argument }) => {
    const server = new BenchChild<ServerProtocol>(file, argument === undefined ? [] : [argument], core[0]);
    return { name, server, costUs: [], perSecond: [] };
  });
  try {
    for (const one of measured) {
      await measureOnce(one, load, work, warmUpSeconds);
      one.costUs.pop();
      one.perSecond.pop();
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const one of round % 2 === 0 ? measured : measured.toReversed()) await measureOnce(one, load, work, seconds);
    }
    return print(work, measured);
  } finally {
    await Promise.all([load, ...measured.map(({ server }) => server)].map((child) => child.end()));
  }
}
