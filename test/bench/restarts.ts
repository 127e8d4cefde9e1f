/**
 * What clients notice of each kind of restart, many times, for each interface, plain and over TLS; and of 100 reloads in a
 * row, with what they cost the master.
 */
import { leaveRun } from '../helpers/cleanup.ts';
import {
  interfaces,
  restartKinds,
  RestartedServer,
  transports,
  type Footprint,
  type Interface,
  type RestartKind,
  type Transport,
} from '../helpers/restarts.ts';
import type { LoadResult } from '../helpers/load-client.ts';
import { printTable } from './stats.ts';

const times: Readonly<Record<RestartKind, number>> = {
  'reload': 5,
  'scale down': 5,
  'maxRequests': 10,
  'maxAge': 5,
  'TERM of a worker': 5,
  'release taken back': 5,
  'upgrade': 5,
};
const load = { keepAlive: 20, reconnecting: 4, paceMs: 10 };
const manyReloads = 100;

const countsOf = ({ ok, failed, closedIdle, announcedClose }: LoadResult): string[] =>
  [ok, failed, closedIdle, announcedClose].map(String);

async function eachKind(kind: Interface, transport: Transport): Promise<string[][]> {
  const server = await RestartedServer.serve(kind, transport, load);
  const rows: string[][] = [];
  for (const restart of restartKinds) {
    const result = await server.restart(restart, times[restart]);
    rows.push([kind, transport, `${restart}, ${times[restart]} times`, ...countsOf(result)]);
  }
  await server.stop();
  return rows;
}

async function hundredReloads(): Promise<void> {
  const server = await RestartedServer.serve('wsgi', 'plain', load);
  const shots: [string, Footprint][] = [['at the start', await server.footprint()]];
  const total = { ok: 0, failed: 0, closedIdle: 0, announcedClose: 0 };
  for (let done = 10; done <= manyReloads; done += 10) {
    const result = await server.restart('reload', 10);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name];
    if (done === 10 || done === manyReloads / 2 || done === manyReloads)
      shots.push([`after ${done}`, await server.footprint()]);
  }
  await server.stop();
  const { ok, failed, closedIdle, announcedClose } = total;
  console.log(
    `### restarts: ${manyReloads} reloads in a row: ${ok} answers, ${failed} failed, ${closedIdle} closed unannounced, ${announcedClose} told to close\n`,
  );
  const rows = shots.map(([when, { residentBytes, descriptors, children }]) => [
    when,
    (residentBytes / 2 ** 20).toFixed(1),
    String(descriptors),
    String(children),
  ]);
  printTable(['the master', 'MiB resident', 'descriptors', 'children'], rows);
}

/** Prints tables. */
export async function measureRestarts(): Promise<void> {
  const rows: string[][] = [];
  for (const transport of transports) {
    for (const kind of interfaces) rows.push(...(await eachKind(kind, transport)));
  }
  console.log('### restarts: what clients notice of each kind\n');
  printTable(['interface', 'transport', 'restart', 'answers', 'failed', 'closed unannounced', 'told to close'], rows);
  await hundredReloads();
  await leaveRun();
}
