import { expect } from 'chai';
import { havensOf, pickTarget, type Target } from '../../../src/master/migration/targets.ts';

const target = (number: number, connections: number): Target => ({
  generation: { number },
  connections,
  connected: true,
  send() {},
  noteConnection() {},
});

describe('where a moving connection goes', () => {
  const [old, busy, idle] = [target(1, 0), target(2, 7), target(2, 3)];

  it('to the worker of the newest generation with the fewest connections', () => {
    expect(pickTarget([old, busy, idle], target(1, 9))).to.equal(idle);
    expect(pickTarget([idle, busy, old], target(1, 9))).to.equal(idle);
    expect(pickTarget([busy, old], target(1, 9))).to.equal(busy);
  });

  it('to an older generation when there is no other', () => {
    expect(pickTarget([old], target(2, 1))).to.equal(old);
  });

  it('not to a generation that was given up, unless nobody else is there', () => {
    expect(havensOf([old, busy, idle], new Set([1, 2]))).to.deep.equal([old, busy, idle]);
    expect(havensOf([old, busy, idle], new Set([1]))).to.deep.equal([old]);
    expect(havensOf([busy, idle], new Set([1, 3]))).to.deep.equal([busy, idle]);
  });

  it('never back to where it comes from', () => {
    expect(pickTarget([idle, old], idle)).to.equal(old);
    expect(pickTarget([idle], idle)).to.equal(undefined);
    expect(pickTarget([], idle)).to.equal(undefined);
  });
});
