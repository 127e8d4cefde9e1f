/** Runs properties over ever new inputs in batches, each with a seed of its own, until something is wrong or all is done. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { cutInput } from './generators.ts';
import type { FuzzProperty } from './properties.ts';

export interface Finding {
  property: string;
  /** what is wrong with the shrunk input */
  what: string;
  bytes: Buffer;
  cuts: number[];
}

const batchSize = 500;

/** Seeds of neighbouring runs share no batch. */
const batchSeed = (seed: number, batch: number): number => (Math.imul(seed, 0x9e3779b1) + batch) | 0;

async function runBatch(property: FuzzProperty, seed: number, count: number): Promise<Finding | undefined> {
  let what = '';
  const holds = fc.asyncProperty(cutInput(property.bytes), async ([bytes, cuts]) => {
    let wrong: string | undefined;
    try {
      const checked = property.check(bytes, cuts);
      // Most need no promise: awaiting each of them would cost more than the check.
      wrong = checked instanceof Promise ? await checked : checked;
    } catch (thrown) {
      wrong = `threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`;
    }
    if (wrong !== undefined) what = wrong;
    return wrong === undefined;
  });
  const { counterexample } = await fc.check(holds, { numRuns: count, seed });
  if (counterexample === null) return undefined;
  const [[bytes, cuts]] = counterexample;
  return { property: property.name, what, bytes, cuts };
}

/** The first finding of each property; `count` is shared out among them. */
export async function fuzz(
  properties: readonly FuzzProperty[],
  { count, seed }: { count: number; seed: number },
  onProgress: (property: string, done: number, size: number) => void = () => {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const share = Math.ceil(count / properties.length);
  for (const property of properties) {
    for (let done = 0; done < share;) {
      const size = Math.min(batchSize, share - done);
      const finding = await runBatch(property, batchSeed(seed, done / batchSize), size);
      // Streams of the batch tidy up in a turn of their own.
      await nextTurn();
      done += size;
      onProgress(property.name, done, size);
      if (finding === undefined) continue;
      findings.push(finding);
      break;
    }
  }
  return findings;
}
