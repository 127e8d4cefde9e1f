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

/** A server program and its arguments. */
export interface Contestant {
  name: string;
  file: string;
  args: readonly string[];
}

export interface Measured {
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

/** Measures all of them in turns; the order of the figures is that of the contestants. */
export async function measureInTurns(
  work: Work,
  contestants: readonly Contestant[],
  { rounds, seconds }: Effort,
): Promise<Measured[]> {
  process.env['BENCH_JOB'] = work.job;
  const core = work.fresh ? [undefined, undefined] : ([0, 1] as const);
  const load = new BenchChild<LoadProtocol>('./load.ts', [], core[1]);
  const measured: Measured[] = contestants.map(({ name, file, args }) => {
    return { name, server: new BenchChild<ServerProtocol>(file, args, core[0]), costUs: [], perSecond: [] };
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
    return measured;
  } finally {
    await Promise.all([load, ...measured.map(({ server }) => server)].map((child) => child.end()));
  }
}

/** Prints a table of all who can do the work; the ratios are those of the first, ours, against each. */
export async function compare(work: Work, effort: Effort): Promise<void> {
  const contestants = rivalsFor(work).map(({ name, file, argument }) => {
    return { name, file, args: argument === undefined ? [] : [argument] };
  });
  const measured = await measureInTurns(work, contestants, effort);
  const ours = measured[0]!;
  const rows = measured.map((one) => [
    one.name,
    median(one.costUs).toFixed(1),
    median(one.perSecond).toFixed(0),
    medianRatio(one.costUs, ours.costUs).toFixed(2),
    spread(one.costUs, ours.costUs),
    medianRatio(ours.perSecond, one.perSecond).toFixed(2),
  ]);
  console.log(`### ${work.name}: ${work.title} (target ${work.target} x)\n`);
  printTable(['server', 'CPU us/request', 'requests/s', 'evy: CPU x', 'rounds', 'evy: throughput x'], rows);
}
