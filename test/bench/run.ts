/**
 * `npm run bench [-- --work hello --work post --rounds 7 --seconds 1]`
 *
 * Measures ours against its rivals in the same run on the same Node and prints tables in Markdown; docs/performance.md
 * holds the latest. Works are those of works.ts and of the table below; all without `--work`.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAccessLog } from './access-log.ts';
import { compareLatency } from './latency.ts';
import { measureMigration } from './migration.ts';
import { measureReloads } from './reload.ts';
import { measureRestarts } from './restarts.ts';
import { measureSlowReaders } from './slow-readers.ts';
import { compare, type Effort } from './throughput.ts';
import { workNamed, works } from './works.ts';

/** Those that are not a comparison of throughput. */
const others: Readonly<Record<string, (effort: Effort) => Promise<unknown>>> = {
  'access-log': measureAccessLog,
  'latency': compareLatency,
  'slow-readers': measureSlowReaders,
  'reload': measureReloads,
  'restarts': measureRestarts,
  'migration': measureMigration,
};

const { values } = parseArgs({
  options: {
    work: { type: 'string', multiple: true, default: [...works.map(({ name }) => name), ...Object.keys(others)] },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
  },
});
const effort: Effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) };

const [processor] = cpus();
console.log(
  `Node ${process.versions.node}, ${cpus().length} x ${processor?.model}, ${effort.rounds} rounds of ${effort.seconds} s\n`,
);
for (const name of values.work) {
  const other = others[name];
  if (other === undefined) await compare(workNamed(name), effort);
  else await other(effort);
}
