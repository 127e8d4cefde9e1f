/**
 * `npm run bench [-- --work hello --rounds 7 --seconds 2 --connections 64 --pipeline 1 --at-least 1.5]`
 *
 * Requests per CPU-second of one worker of ours, against node:http doing the same work on the same Node. Server and
 * load are separate processes; the CPU time is that of the server process alone, so a busy machine changes the numbers
 * little. Both servers live through the whole bench and are measured in turns, the first one of a round alternating, so
 * that what drifts (clock rate, temperature, neighbours) hits both; the median of the rounds' ratios is the result.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BenchChild, type LoadProtocol, type LoadTask, type ServerProtocol } from './child.ts';
import { workNamed, works, type Work } from './works.ts';

interface Settings {
  rounds: number;
  seconds: number;
  connections: number;
  pipeline: number;
}

/** CPU time of the server that one request took. */
interface Cost {
  userUs: number;
  systemUs: number;
}

const warmUpSeconds = 2;
const settleSeconds = 0.2;

/** Loads the server for a while and tells what a request cost it. */
async function measure(
  server: BenchChild<ServerProtocol>,
  load: BenchChild<LoadProtocol>,
  task: Omit<LoadTask, 'port'>,
  seconds: number,
): Promise<Cost> {
  await load.ask('start', { ...task, port: await server.ask('port') });
  await sleep(settleSeconds * 1000);
  const [cpuBefore, countBefore] = [await server.ask('cpu'), await load.ask('count')];
  await sleep(seconds * 1000);
  const [cpuAfter, countAfter] = [await server.ask('cpu'), await load.ask('count')];
  await load.ask('stop');
  const perRequest = 1000 / (countAfter - countBefore);
  return {
    userUs: (cpuAfter.userMs - cpuBefore.userMs) * perRequest,
    systemUs: (cpuAfter.systemMs - cpuBefore.systemMs) * perRequest,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
};

const requestsPerSecond = ({ userUs, systemUs }: Cost): number => 1_000_000 / (userUs + systemUs);
const row = (name: string, ...cells: string[]) =>
  console.log(name.padEnd(9) + cells.map((cell) => cell.padStart(14)).join(''));

function printCosts(name: string, costs: readonly Cost[]): void {
  const user = median(costs.map((cost) => cost.userUs)).toFixed(1);
  const system = median(costs.map((cost) => cost.systemUs)).toFixed(1);
  console.log(`${name}: a request takes ${user} us of JavaScript and the like, ${system} us in the kernel`);
}

/** Prints a row a round; returns the median of the ratios. */
async function compare(work: Work, settings: Settings): Promise<number> {
  const load = new BenchChild<LoadProtocol>('./load.ts');
  const ours = new BenchChild<ServerProtocol>('./servers/evy.ts', [work.name]);
  const theirs = new BenchChild<ServerProtocol>('./servers/node-http.ts', [work.name]);
  const task = { request: work.request, connections: settings.connections, pipeline: settings.pipeline };
  const costs = { ours: [] as Cost[], theirs: [] as Cost[] };
  try {
    for (const server of [ours, theirs]) await measure(server, load, task, warmUpSeconds);
    row(work.name, 'evy', 'node:http', 'ratio');
    const ratios: number[] = [];
    for (let round = 1; round <= settings.rounds; round += 1) {
      const turns = round % 2 === 1 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
      for (const turn of turns) {
        costs[turn].push(await measure(turn === 'ours' ? ours : theirs, load, task, settings.seconds));
      }
      const [our, their] = [requestsPerSecond(costs.ours.at(-1)!), requestsPerSecond(costs.theirs.at(-1)!)];
      ratios.push(our / their);
      row(`round ${round}`, our.toFixed(0), their.toFixed(0), (our / their).toFixed(2));
    }
    const rates = [costs.ours, costs.theirs].map((all) => median(all.map(requestsPerSecond)).toFixed(0));
    row('median', ...rates, median(ratios).toFixed(2));
    printCosts('evy', costs.ours);
    printCosts('node:http', costs.theirs);
    return median(ratios);
  } finally {
    await Promise.all([load, ours, theirs].map((child) => child.end()));
  }
}

const { values } = parseArgs({
  options: {
    'work': { type: 'string', multiple: true, default: works.map(({ name }) => name) },
    'rounds': { type: 'string', default: '7' },
    'seconds': { type: 'string', default: '2' },
    'connections': { type: 'string', default: '64' },
    'pipeline': { type: 'string', default: '1' },
    'at-least': { type: 'string', default: '0' },
  },
});
const settings: Settings = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
  pipeline: Number(values.pipeline),
};
const { connections, pipeline } = settings;
console.log(
  `requests per CPU-second, Node ${process.versions.node}, ${availableParallelism()} cores, ` +
    `${connections} keep-alive connections, ${pipeline === 1 ? 'no pipelining' : `${pipeline} requests at once`}`,
);
for (const name of values.work) {
  const ratio = await compare(workNamed(name), settings);
  if (ratio < Number(values['at-least'])) {
    console.error(`${name}: the ratio ${ratio.toFixed(2)} is below ${values['at-least']}`);
    process.exitCode = 1;
  }
}
