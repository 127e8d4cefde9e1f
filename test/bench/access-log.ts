/**
 * `npm run bench:access-log [-- --format combined --rounds 7 --seconds 2 --connections 64 --at-most 15]`
 *
 * What an access log to a file costs: CPU time of one worker per request with and without it, measured in turns on two
 * processes that live through the whole bench. The kernel's part of the writing is in it, and that of Node's thread
 * pool. The median of the rounds' differences is the result.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BenchChild, type LoadProtocol, type ServerProtocol } from './child.ts';
import { workNamed } from './works.ts';

const warmUpSeconds = 2;
const settleSeconds = 0.2;

type Server = BenchChild<ServerProtocol>;

const { values } = parseArgs({
  options: {
    'format': { type: 'string', multiple: true, default: ['combined', 'json'] },
    'rounds': { type: 'string', default: '7' },
    'seconds': { type: 'string', default: '2' },
    'connections': { type: 'string', default: '64' },
    'at-most': { type: 'string', default: 'Infinity' },
  },
});
const work = workNamed('hello');
const task = { request: work.request, connections: Number(values.connections), pipeline: 1 };

/** Microseconds of CPU that a request costs the server. */
async function measure(server: Server, load: BenchChild<LoadProtocol>, seconds: number): Promise<number> {
  await load.ask('start', { ...task, port: await server.ask('port') });
  await sleep(settleSeconds * 1000);
  const [cpuBefore, countBefore] = [await server.ask('cpu'), await load.ask('count')];
  await sleep(seconds * 1000);
  const [cpuAfter, countAfter] = [await server.ask('cpu'), await load.ask('count')];
  await load.ask('stop');
  const usedMs = cpuAfter.userMs + cpuAfter.systemMs - cpuBefore.userMs - cpuBefore.systemMs;
  return (usedMs * 1000) / (countAfter - countBefore);
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
const row = (...cells: string[]) => console.log(cells.map((cell) => cell.padStart(12)).join(''));

/** Percent that the log adds to a request. */
async function costOf(format: string, folder: string): Promise<number> {
  const load = new BenchChild<LoadProtocol>('./load.ts');
  const [without, withLog] = ['off', format].map(
    (one) => new BenchChild<ServerProtocol>('./servers/evy-logging.ts', [work.name, one, join(folder, 'access.log')]),
  ) as [Server, Server];
  const costs = { off: [] as number[], on: [] as number[], added: [] as number[] };
  try {
    for (const server of [without, withLog]) await measure(server, load, warmUpSeconds);
    row(format, 'off us', 'on us', 'added us');
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      const seconds = Number(values.seconds);
      const first = round % 2 === 1 ? await measure(without, load, seconds) : undefined;
      const on = await measure(withLog, load, seconds);
      const off = first ?? (await measure(without, load, seconds));
      costs.off.push(off);
      costs.on.push(on);
      costs.added.push(on - off);
      row(`round ${round}`, off.toFixed(2), on.toFixed(2), (on - off).toFixed(2));
    }
    const percent = (100 * median(costs.added)) / median(costs.off);
    const medians = [costs.off, costs.on, costs.added].map((one) => median(one).toFixed(2));
    row('median', ...medians, `${percent.toFixed(1)} %`);
    return percent;
  } finally {
    await Promise.all([load, without, withLog].map((child) => child.end()));
  }
}

const folder = await mkdtemp(join(tmpdir(), 'evy-bench-'));
try {
  for (const format of values.format) {
    if ((await costOf(format, folder)) <= Number(values['at-most'])) continue;
    console.error(`${format}: costs more than ${values['at-most']} %`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
