import { expect } from 'chai';
import { targetsOf, pickTarget, type Target } from '../../../src/master/migration/targets.ts';

const target = (number: number, connections: number): Target => ({
  generation: { number },
  connections,
  connected: true,
  send() {},
  noteConnection() {},
});

describe('where a moving connection goes', () => {
  const nobody = new Set<Target>();
  const [old, busy, idle] = [target(1, 0), target(2, 7), target(2, 3)];

  it('to the worker of the newest generation with the fewest connections', () => {
    expect(pickTarget([old, busy, idle], target(1, 9), nobody)).to.equal(idle);
    expect(pickTarget([idle, busy, old], target(1, 9), nobody)).to.equal(idle);
    expect(pickTarget([busy, old], target(1, 9), nobody)).to.equal(busy);
  });

  it('to an older generation when there is no other', () => {
    expect(pickTarget([old], target(2, 1), nobody)).to.equal(old);
  });

  it('not to a generation that was given up, unless nobody else is there', () => {
    expect(targetsOf([old, busy, idle], new Set([1, 2]))).to.deep.equal([old, busy, idle]);
    expect(targetsOf([old, busy, idle], new Set([1]))).to.deep.equal([old]);
    expect(targetsOf([busy, idle], new Set([1, 3]))).to.deep.equal([busy, idle]);
  });

  it('not to one that does not answer, unless nobody else is there', () => {
    expect(pickTarget([old, busy, idle], target(1, 9), new Set([idle]))).to.equal(busy);
    expect(pickTarget([idle, busy, old], target(1, 9), new Set([idle, busy]))).to.equal(old);
    expect(pickTarget([busy, idle], target(1, 9), new Set([idle, busy]))).to.equal(idle);
  });

  it('never back to where it comes from', () => {
    expect(pickTarget([idle, old], idle, nobody)).to.equal(old);
    expect(pickTarget([idle], idle, nobody)).to.equal(undefined);
    expect(pickTarget([], idle, nobody)).to.equal(undefined);
  });
});
