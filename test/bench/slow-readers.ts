/** What a client costs that asks for 10 MB and then does not read: memory of the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchChild, type LoadProtocol, type ServerProtocol } from './child.ts';
import { residentBytes } from './cpu.ts';
import { printTable } from './stats.ts';
import { workNamed } from './works.ts';

const clients = 100;
const settleMs = 2000;

/** Prints a table; returns our bytes for each such client. */
export async function measureSlowReaders(): Promise<number> {
  const work = workNamed('stream');
  process.env['BENCH_JOB'] = work.job;
  const load = new BenchChild<LoadProtocol>('./load.ts', [], 1);
  const servers = ['evy', 'node-http'].map((name) => new BenchChild<ServerProtocol>(`./servers/${name}.ts`, [], 0));
  try {
    const perClient: number[] = [];
    for (const server of servers) {
      const port = await server.ask('port');
      const before = residentBytes([server.pid]);
      await load.ask('readSlowly', { port, request: work.request, connections: clients });
      await sleep(settleMs);
      perClient.push((residentBytes([server.pid]) - before) / clients);
      await load.ask('close');
    }
    console.log(`### memory for each of ${clients} clients that ask for 10 MB and do not read on (target <= 1 MiB)\n`);
    const kib = (bytes: number) => (bytes / 1024).toFixed(0);
    printTable(
      ['server', 'KiB'],
      [
        ['evy', kib(perClient[0]!)],
        ['node:http', kib(perClient[1]!)],
      ],
    );
    return perClient[0]!;
  } finally {
    await Promise.all([load, ...servers].map((child) => child.end()));
  }
}
