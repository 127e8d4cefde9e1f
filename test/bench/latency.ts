/** Latency at half of what `node:http` can do at most: the same pace for both, in turns. */
import { BenchChild, type LoadProtocol, type ServerProtocol } from './child.ts';
import { medianRatio, median, percentile, printTable } from './stats.ts';
import type { Effort } from './throughput.ts';
import { workNamed } from './works.ts';

const work = workNamed('hello');
const connections = 64;

async function peak(server: BenchChild<ServerProtocol>, load: BenchChild<LoadProtocol>): Promise<number> {
  const { request } = work;
  const port = await server.ask('port');
  await load.ask('open', { request, connections, pipeline: 1, fresh: false, port });
  await load.ask('run', { port, ms: 1000 });
  const { responses, ms } = await load.ask('run', { port, ms: 2000 });
  await load.ask('close');
  return (responses * 1000) / ms;
}

/** Prints a table; returns our p99 over that of `node:http`. */
export async function compareLatency({ rounds, seconds }: Effort): Promise<number> {
  process.env['BENCH_JOB'] = work.job;
  const load = new BenchChild<LoadProtocol>('./load.ts', [], 1);
  const servers = ['evy', 'node-http'].map((name) => new BenchChild<ServerProtocol>(`./servers/${name}.ts`, [], 0));
  const latencies: number[][][] = [[], []];
  try {
    await peak(servers[0]!, load);
    const requestsPerSecond = Math.round((await peak(servers[1]!, load)) / 2);
    for (let round = 0; round < rounds; round += 1) {
      for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const port = await servers[index]!.ask('port');
        const { request } = work;
        const task = { port, request, connections, pipeline: 1, fresh: false, requestsPerSecond, seconds };
        latencies[index]!.push(await load.ask('paced', task));
      }
    }
    const at = (index: number, share: number) => latencies[index]!.map((round) => percentile(round, share));
    const row = (name: string, index: number) => [
      name,
      ...[0.5, 0.9, 0.99, 0.999].map((share) => median(at(index, share)).toFixed(2)),
    ];
    console.log(`### latency at ${requestsPerSecond} requests/s, half of the peak of node:http (target <= 1.0 x)\n`);
    printTable(['server', 'p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms'], [row('evy', 0), row('node:http', 1)]);
    const ratio = medianRatio(at(0, 0.99), at(1, 0.99));
    console.log(`p99 of evy against node:http: ${ratio.toFixed(2)} x\n`);
    return ratio;
  } finally {
    await Promise.all([load, ...servers].map((child) => child.end()));
  }
}
