/**
 * `npm run bench:migration [-- --connections 1000,10000 --node PATH]`
 *
 * How long a reload of two workers takes to move idle connections to the new ones, what it costs each process, and what the
 * other clients feel meanwhile: a few that ask all the time. Runs the built command. Each move is checked: every
 * connection answers afterwards, from a new process, and none was closed.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fixture } from '../helpers/files.ts';
import { runEvy, type EvyProcess } from '../helpers/run-evy.ts';
import { IdleCrowd } from './idle-crowd.ts';

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

async function measure(connections: number, node: string): Promise<void> {
  const app = fixture('apps', 'echoes-load-id.mjs');
  const evy = runEvy(['--port', '0', '--workers', '2', '--keepalive', '10m', app], { node });
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
    const perConnection = (ms: number) => `${((ms * 1000) / connections).toFixed(0)} us`;
    console.log(
      [
        `${connections} connections: ${(leavingMs(evy) / 1000).toFixed(2)} s`,
        `master ${perConnection(masterMs)} of CPU each`,
        `others: p99 ${quantile(during, 0.99).toFixed(1)} ms of ${during.length}, before ${quantile(before, 0.99).toFixed(1)} ms`,
        `closed ${crowd.closed + asking.closed}, left with old workers ${stayed.length}`,
      ].join('; '),
    );
    crowd.end();
    asking.end();
    await evy.stop();
  } finally {
    await evy.reap();
  }
}

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000,10000' },
    node: { type: 'string', default: process.execPath },
  },
});
console.log(
  `moving idle connections at a reload of 2 workers, Node ${process.versions.node} asks, ${availableParallelism()} cores`,
);
for (const count of values.connections.split(',')) await measure(Number(count), values.node);
