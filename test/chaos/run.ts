/**
 * `npm run chaos [-- --minutes 10 --seed 1 --kind wsgi --log FILE]`: chaos.ts for as long as one likes, with a line of progress
 * every ten seconds. Ends with 1 when something was found, and prints the steps so far; the same seed draws the same ones.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { leaveRun } from '../helpers/cleanup.ts';
import { runChaos, type ChaosReport } from './chaos.ts';
import type { Kind } from './scene.ts';
import { stepText } from './steps.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string', default: 'wsgi' },
    log: { type: 'string' },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const isKind = (word: string): word is Kind => ['wsgi', 'fetch', 'node'].includes(word);
const { kind } = values;
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !isKind(kind)) {
  console.error('usage: npm run chaos -- --minutes N --seed S [--kind wsgi|fetch|node] [--log FILE]');
  process.exit(2);
}

const progressMs = 10_000;
const startedMs = performance.now();
let shownMs = startedMs;

function figures({ steps, counts, deaths, excused }: ChaosReport): string {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const { answered, moved, announced, wrong, refused } = counts;
  return `${seconds} s: ${steps.length} steps, ${answered} answers, ${moved} moves, ${announced} announced closes, ${deaths} deaths that cost ${excused} connections, ${wrong} wrong, ${refused} refused`;
}

function tell(report: ChaosReport): void {
  if (performance.now() - shownMs < progressMs) return;
  shownMs = performance.now();
  console.log(figures(report));
}

const report = await runChaos({ seed, kind, durationMs: minutes * 60_000, onStep: tell });
await leaveRun();
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
console.log(figures(report));
console.log(
  `master: ${mebibytes(report.masterBytes.start)} at the start, ${mebibytes(report.masterBytes.end)} at the end`,
);
console.log(`${report.problems.length} problems, seed ${seed}, ${kind}, Node ${process.versions.node}`);
if (values.log !== undefined) await writeFile(values.log, report.log);
if (report.problems.length > 0) {
  for (const problem of report.problems) console.log(`\n${problem}`);
  console.log(`\nthe steps of seed ${seed} so far:`);
  for (const [index, step] of report.steps.entries()) console.log(`${index + 1}. ${stepText(step)}`);
  process.exitCode = 1;
}
