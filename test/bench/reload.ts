/**
 * What a reload of two workers takes, and what it costs clients: 50 keep-alive and 4 reconnecting ones, some reloads in a row,
 * with answers in between. It is over when all old workers have ended and as many new ones are there.
 */
import { readFile } from 'node:fs/promises';
import { leaveRun } from '../helpers/cleanup.ts';
import { startLoad } from '../helpers/load-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { moreAnswers } from '../integration/command/serving.ts';
import { isThere, reloadRivals, workers, type Reloadable, type ReloadRival } from './reload-rivals.ts';
import { median, printTable } from './stats.ts';

const reloads = 5;
const overWithinMs = 60_000;
const answersBetween = 500;
const load = { keepAlive: 50, reconnecting: 4, paceMs: 20, expect: 'echo-id', countHeader: 'X-Pid' } as const;

async function childrenOf(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return children.split(' ').filter((child) => child !== '');
}

async function reloadOnce(server: Reloadable): Promise<number> {
  const old = await childrenOf(server.pid);
  const startedMs = performance.now();
  const isOver = async () => {
    const now = await childrenOf(server.pid);
    return now.length === workers && !now.some((child) => old.includes(child));
  };
  const told = server.reload();
  await waitFor('the reload to be over', isOver, { withinMs: overWithinMs, everyMs: 5 });
  const tookMs = performance.now() - startedMs;
  await told;
  return tookMs;
}

async function measure(rival: ReloadRival): Promise<string[]> {
  const server = await rival.start();
  try {
    const isBooted = async () => (await childrenOf(server.pid)).length === workers;
    await waitFor('the workers', isBooted, { withinMs: overWithinMs });
    const running = await startLoad({ port: server.port, ...load });
    await moreAnswers(running, answersBetween);
    const tookMs: number[] = [];
    for (let times = 0; times < reloads; times += 1) {
      tookMs.push(await reloadOnce(server));
      await moreAnswers(running, answersBetween);
    }
    const { ok, failed, closedIdle, announcedClose, p99Ms, maxMs } = await running.stop();
    const counts = [ok, failed, closedIdle, announcedClose].map(String);
    return [rival.name, (median(tookMs) / 1000).toFixed(2), ...counts, p99Ms.toFixed(1), maxMs.toFixed(0)];
  } finally {
    await server.stop();
  }
}

/** Prints a table. */
export async function measureReloads(): Promise<void> {
  const rows: string[][] = [];
  for (const rival of reloadRivals) {
    try {
      if (!isThere(rival)) throw new Error('not found on this machine');
      rows.push(await measure(rival));
    } catch (error) {
      console.log(`${rival.name}: ${(error as Error).message}, left out\n`);
    }
  }
  await leaveRun();
  const { keepAlive, reconnecting } = load;
  console.log(
    `### reload: ${reloads} reloads of ${workers} workers, ${keepAlive} keep-alive and ${reconnecting} reconnecting clients\n`,
  );
  printTable(
    ['server', 'reload s', 'answers', 'failed', 'closed unannounced', 'told to close', 'p99 ms', 'max ms'],
    rows,
  );
}
