/**
 * How long a reload of two workers takes to move idle connections to the new ones, what it costs each process, and what the
 * other clients feel meanwhile: a few that ask all the time. Runs the built command. Each move is checked: every
 * connection answers afterwards, from a new process, and none was closed.
 */
import { readFile } from 'node:fs/promises';
import { fixture } from '../helpers/files.ts';
import { runEvy, type EvyProcess } from '../helpers/run-evy.ts';
import { IdleCrowd } from './idle-crowd.ts';
import { printTable } from './stats.ts';

const counts = [1_000, 10_000];
const askers = 8;
const askPauseMs = 20;
const ticksPerSecond = 100; // sysconf(_SC_CLK_TCK) on Linux, whatever the kernel's own rate

/** CPU time of a process so far; undefined when it has ended. */
async function cpuMs(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Between the order to leave and the end of each old worker, together: they leave one after the other. */
function leavingMs(evy: EvyProcess): number {
  const timeOf = (event: string, pid: unknown) => Number(evy.seen(event, (line) => line.pid === pid)[0]?.time);
  const pids = evy.seen('worker.exit').map(({ pid }) => pid);
  return pids.reduce<number>((sum, pid) => sum + timeOf('worker.exit', pid) - timeOf('worker.retiring', pid), 0);
}

async function measure(connections: number): Promise<string[]> {
  const app = fixture('apps', 'echoes-load-id.mjs');
  const evy = runEvy(['--port', '0', '--workers', '2', '--keepalive', '10m', app]);
  try {
    await evy.until('master.ready');
    const crowd = await IdleCrowd.connect(evy.port, connections);
    const asking = await IdleCrowd.connect(evy.port, askers);
    const before = await asking.askFor(1_000, askPauseMs);
    const masterBefore = (await cpuMs(evy.pid))!;
    evy.signal('SIGHUP');
    const during = await asking.askUntil(evy.until('worker.exit', { times: 2, withinMs: 90_000 }), askPauseMs);
    const masterMs = (await cpuMs(evy.pid))! - masterBefore;
    const pids = await crowd.askAll();
    const stayed = evy.seen('worker.ready').filter(({ generation, pid }) => generation === 1 && pids.has(Number(pid)));
    const closed = crowd.closed + asking.closed;
    const row = [
      String(connections),
      (leavingMs(evy) / 1000).toFixed(2),
      ((masterMs * 1000) / connections).toFixed(0),
      quantile(before, 0.99).toFixed(1),
      quantile(during, 0.99).toFixed(1),
      String(closed),
      String(stayed.length),
    ];
    crowd.end();
    asking.end();
    await evy.stop();
    return row;
  } finally {
    await evy.reap();
  }
}

/** Prints a table. */
export async function measureMigration(): Promise<void> {
  const rows: string[][] = [];
  for (const count of counts) rows.push(await measure(count));
  console.log(
    '### migration: idle connections that move at a reload of 2 workers (target: 10,000 in 5 s, p99 100 ms)\n',
  );
  printTable(
    ['connections', 's', 'master, us of CPU each', 'others: p99 ms before', 'p99 ms during', 'closed', 'not moved'],
    rows,
  );
}
