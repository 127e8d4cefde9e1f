/** Two million inputs, under another seed each time; a failure names it, and `npm run fuzz -- --seed` repeats it. */
import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { fuzz } from './fuzzing.ts';
import { fuzzProperties } from './properties.ts';

const count = 2_000_000 / fuzzProperties.length;
const seed = randomInt(1, 1_000_000);

describe('the fuzzer, for long', () => {
  for (const property of fuzzProperties) {
    it(`finds nothing in ${count} inputs: ${property.name}, seed ${seed}`, async () => {
      const findings = await fuzz([property], { count, seed });
      expect(findings.map(({ what, bytes }) => `${what}: ${JSON.stringify(bytes.toString('latin1'))}`)).to.deep.equal(
        [],
      );
    });
  }
});
