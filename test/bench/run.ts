/**
 * `npm run bench [-- --work hello --work post --rounds 7 --seconds 1]`
 *
 * Measures ours against its rivals in the same run on the same Node and prints tables in Markdown; docs/performance.md
 * holds the latest. Works are those of works.ts, `latency` and `slow-readers`; all without `--work`.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { compareLatency } from './latency.ts';
import { measureSlowReaders } from './slow-readers.ts';
import { compare, type Effort } from './throughput.ts';
import { workNamed, works } from './works.ts';

const { values } = parseArgs({
  options: {
    work: { type: 'string', multiple: true, default: [...works.map(({ name }) => name), 'latency', 'slow-readers'] },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
  },
});
const effort: Effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) };

console.log(
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model}, ${values.rounds} rounds of ${values.seconds} s\n`,
);
for (const name of values.work) {
  if (name === 'latency') await compareLatency(effort);
  else if (name === 'slow-readers') await measureSlowReaders();
  else await compare(workNamed(name), effort);
}
