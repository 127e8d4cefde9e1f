/**
 * One work, done by all who can: CPU time per request of all the server's processes, and requests per second.
 *
 * Servers and load are separate processes, on a core each where there are two. All servers live through the whole
 * measurement. In a round each is asked in short slices, in turns, so that what drifts (clock rate, neighbours) hits
 * all; the ratios are taken within a round, and their median is the result.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchChild, type LoadProtocol, type ServerProtocol, type Slice } from './child.ts';
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
  /** CPU time of a request, each round */
  costUs: number[];
  perSecond: number[];
}

interface Running extends Measured {
  readonly server: BenchChild<ServerProtocol>;
}

const warmUpSeconds = 2;
const sliceMs = 50;
/** what is done later than its request (a log that is written in batches) counts as well */
const settleMs = 300;

interface Sum extends Slice {
  readonly one: Running;
  readonly port: number;
}

async function measureRound(
  running: readonly Running[],
  load: BenchChild<LoadProtocol>,
  { request, connections, pipeline, fresh }: Work,
  seconds: number,
): Promise<void> {
  const sums: Sum[] = [];
  for (const one of running) {
    const port = await one.server.ask('port');
    await load.ask('open', { request, connections, pipeline, fresh, port });
    sums.push({ one, port, responses: 0, ms: 0 });
  }
  await sleep(settleMs);
  const cpuOfAll = (): number[] => running.map(({ server }) => cpuMs(processTree(server.pid)));
  const before = cpuOfAll();
  for (let slice = 0; slice * sliceMs < seconds * 1000; slice += 1) {
    for (const sum of slice % 2 === 0 ? sums : sums.toReversed()) {
      const { responses, ms } = await load.ask('run', { port: sum.port, ms: sliceMs });
      sum.responses += responses;
      sum.ms += ms;
    }
  }
  await sleep(settleMs);
  const after = cpuOfAll();
  await load.ask('close');
  for (const [index, { one, responses, ms }] of sums.entries()) {
    one.costUs.push(((after[index]! - before[index]!) * 1000) / responses);
    one.perSecond.push((responses * 1000) / ms);
  }
}

/** Measures all of them; the order of the figures is that of the contestants. */
export async function measureInTurns(
  work: Work,
  contestants: readonly Contestant[],
  { rounds, seconds }: Effort,
): Promise<Measured[]> {
  process.env['BENCH_JOB'] = work.job;
  const core = work.fresh ? [undefined, undefined] : ([0, 1] as const);
  const load = new BenchChild<LoadProtocol>('./load.ts', [], core[1]);
  const running: Running[] = contestants.map(({ name, file, args }) => {
    return { name, server: new BenchChild<ServerProtocol>(file, args, core[0]), costUs: [], perSecond: [] };
  });
  try {
    await measureRound(running, load, work, warmUpSeconds);
    for (let round = 0; round < rounds; round += 1) await measureRound(running, load, work, seconds);
    return running.map(({ name, costUs, perSecond }) => {
      return { name, costUs: costUs.slice(1), perSecond: perSecond.slice(1) };
    });
  } finally {
    await Promise.all([load, ...running.map(({ server }) => server)].map((child) => child.end()));
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
