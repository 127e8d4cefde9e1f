import { expect } from 'chai';
import { brief, briefSummary, longestPart } from '../../../src/shared/protocol/summaries.ts';
import { routeOf } from '../../../src/shared/protocol/route.ts';

describe('a request in a report', () => {
  const long = `/${'"'.repeat(8_100)}`;

  it('is whole as long as it is short', () => {
    const summary = { method: 'GET', target: '/a', peer: '::1', ageMs: 3, requestId: 'r', traceparent: undefined };
    expect(briefSummary(summary)).to.deep.equal(summary);
    expect(brief('a'.repeat(longestPart))).to.equal('a'.repeat(longestPart));
  });

  it('has no part that a client can make long, and says where it was cut', () => {
    const whole = { method: long, target: long, peer: long, ageMs: 1.6, requestId: long, traceparent: long };
    const { ageMs, ...parts } = briefSummary(whole);
    expect(ageMs).to.equal(2);
    for (const part of Object.values(parts)) expect(part).to.equal(`${long.slice(0, longestPart)}…`);
  });

  it('belongs to the same route as the request itself', () => {
    const id = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';
    for (const target of [long, `/a/${id}`.repeat(20), `/a?${long}`, `/${'1/'.repeat(300)}`])
      expect(routeOf('GET', brief(target))).to.equal(routeOf('GET', target));
  });
});
