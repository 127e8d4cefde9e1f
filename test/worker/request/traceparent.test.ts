import { expect } from 'chai';
import { validTraceparent } from '../../../src/worker/request/request-id.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

describe('traceparent', () => {
  for (const value of [
    `00-${trace}-${parent}-01`,
    `00-${trace}-${parent}-00`,
    `01-${trace}-${parent}-01`,
    `cc-${trace}-${parent}-01-what-later-versions-add`,
  ]) {
    it(`may be '${value}'`, () => expect(validTraceparent(value)).to.equal(value));
  }

  for (const value of [
    undefined,
    '',
    `ff-${trace}-${parent}-01`,
    `00-${trace}-${parent}-01-more`,
    `cc-${trace}-${parent}-01.more`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${trace}-${parent}-1`,
    `00-${trace.slice(1)}-${parent}-01`,
    ` 00-${trace}-${parent}-01`,
    `00-${trace}-${parent}-01\n`,
    `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`,
    `cc-${trace}-${parent}-01-${'x'.repeat(200)}`,
  ]) {
    it(`may not be '${String(value)}'`, () => expect(validTraceparent(value)).to.equal(undefined));
  }
});
