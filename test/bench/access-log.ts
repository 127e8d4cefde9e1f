/** What an access log to a file costs: CPU time of a request with and without it, the writing and its thread pool included. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, printTable } from './stats.ts';
import { measureInTurns, type Contestant, type Effort } from './throughput.ts';
import { workNamed } from './works.ts';

const formats = ['off', 'combined', 'json'];

/** Prints a table. */
export async function measureAccessLog(effort: Effort): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'evy-bench-'));
  const contestants: Contestant[] = formats.map((format) => {
    return { name: format, file: './servers/evy-logging.ts', args: [format, join(folder, `${format}.log`)] };
  });
  try {
    const measured = await measureInTurns(workNamed('hello'), contestants, effort);
    const off = measured[0]!.costUs;
    const rows = measured.map(({ name, costUs }) => {
      const addedUs = median(costUs.map((cost, round) => cost - off[round]!));
      return [name, median(costUs).toFixed(1), addedUs.toFixed(2), `${((100 * addedUs) / median(off)).toFixed(1)} %`];
    });
    console.log('### access-log: GET hello with an access log to a file (target <= 15 %)\n');
    printTable(['format', 'CPU us/request', 'added us', 'added'], rows);
  } finally {
    await rm(folder, { recursive: true });
  }
}
