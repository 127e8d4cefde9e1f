/** A short run of the fuzzer under one seed; `npm run fuzz` goes on for as long as one likes. */
import { expect } from 'chai';
import { fuzz } from './fuzzing.ts';
import { fuzzProperties } from './properties.ts';

const about: Readonly<Record<string, { promise: string; count: number }>> = {
  node: { promise: 'nothing that node:http refuses is accepted, but for what a row of the table allows', count: 6000 },
  reference: { promise: 'the parser makes the same of bytes as a plain reading of the RFC', count: 4000 },
  cuts: { promise: 'bytes have the same result whatever the cuts', count: 4000 },
  limits: { promise: 'a limit holds whatever the cuts, and the parser holds no more than its limits', count: 800 },
  server: { promise: 'a server answers each request once, whole and in order, and ends the connection', count: 3000 },
};

describe('the fuzzer', () => {
  for (const property of fuzzProperties) {
    const { promise, count } = about[property.name]!;
    it(`finds, in ${count} inputs, that ${promise}`, async () => {
      const findings = await fuzz([property], { count, seed: 9112 });
      expect(findings.map(({ what, bytes }) => `${what}: ${JSON.stringify(bytes.toString('latin1'))}`)).to.deep.equal(
        [],
      );
    });
  }
});
