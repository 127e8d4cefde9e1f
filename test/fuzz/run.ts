/**
 * `npm run fuzz [-- --count 100000 --seed 1 --property node]`: the properties of properties.ts over `count` inputs in all.
 * The same count and seed make the same inputs. Ends with 1 when something was found, and shows it shrunk.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzzing.ts';
import { fuzzProperties } from './properties.ts';
import { stopServing } from './served.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    property: { type: 'string', multiple: true },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const names = values.property ?? fuzzProperties.map(({ name }) => name);
const chosen = fuzzProperties.filter(({ name }) => names.includes(name));
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed) || chosen.length !== names.length) {
  console.error(
    `usage: npm run fuzz -- --count N --seed S [--property ${fuzzProperties.map(({ name }) => name).join('|')}]`,
  );
  process.exit(2);
}

const progressMs = 10_000;
const startedMs = performance.now();
let shownMs = startedMs;
let inputs = 0;
const rate = () => `${Math.round((inputs / (performance.now() - startedMs)) * 1000)} inputs/s`;
const findings = await fuzz(chosen, { count, seed }, (property, done, size) => {
  inputs += size;
  if (performance.now() - shownMs < progressMs) return;
  shownMs = performance.now();
  console.log(`${property}: ${done} inputs, ${rate()}`);
});
await stopServing();

for (const { property, what, bytes, cuts } of findings) {
  console.log(
    `\n${property}: ${what}\n  bytes ${JSON.stringify(bytes.toString('latin1'))}\n  cuts ${JSON.stringify(cuts)}`,
  );
}
console.log(`${findings.length} findings in ${inputs} inputs, seed ${seed}, Node ${process.versions.node}, ${rate()}`);
process.exitCode = findings.length > 0 ? 1 : 0;
