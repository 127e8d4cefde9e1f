import { expect } from 'chai';
import { firstToGiveWay, IdleLinger, lingerTimes } from '../../../src/worker/transport/idle.ts';
import type { IdleConnection } from '../../../src/worker/transport/idle.ts';

function idle(facts: Partial<IdleConnection>): IdleConnection {
  const own = { hasAsked: true, idleMs: 0, bytesRead: 1, isStillIdle: true, closeUnannounced() {}, giveWay() {} };
  return { key: {}, ...own, ...facts };
}

describe('the time that idle connections get when the server stops', () => {
  it('is half of the grace time at most', () => {
    expect(lingerTimes(30_000)).to.deep.equal({ idleMs: 500, firstRequestMs: 1000 });
    expect(lingerTimes(1200)).to.deep.equal({ idleMs: 500, firstRequestMs: 600 });
    expect(lingerTimes(0)).to.deep.equal({ idleMs: 0, firstRequestMs: 0 });
  });

  it('counts from the first look that finds them idle, and longer for a first request', () => {
    const linger = new IdleLinger(lingerTimes(30_000));
    const asked = idle({});
    const fresh = idle({ hasAsked: false });
    expect(linger.overdue([asked, fresh], 0)).to.deep.equal([]);
    expect(linger.overdue([asked, fresh], 499)).to.deep.equal([]);
    expect(linger.overdue([asked, fresh], 500)).to.deep.equal([asked]);
    expect(linger.overdue([fresh], 999)).to.deep.equal([]);
    expect(linger.overdue([fresh], 1000)).to.deep.equal([fresh]);
  });

  it('begins anew when bytes came, or a look found them busy', () => {
    const linger = new IdleLinger(lingerTimes(30_000));
    const [moved, busy] = [idle({}), idle({})];
    linger.overdue([moved, busy], 0);
    linger.overdue([moved], 200);
    const after = { ...moved, bytesRead: 2 };
    expect(linger.overdue([after, busy], 500)).to.deep.equal([]);
    expect(linger.overdue([after, busy], 1000)).to.deep.equal([after, busy]);
  });
});

describe('the connection that gives way', () => {
  it('is the one that has been idle for longest', () => {
    const longest = idle({ idleMs: 30 });
    expect(firstToGiveWay([idle({ idleMs: 20 }), longest, idle({ idleMs: 30 })])).to.equal(longest);
    expect(firstToGiveWay([])).to.equal(undefined);
  });

  it('is one that has never asked only if all others are busy, and it had time to', () => {
    const young = idle({ hasAsked: false, idleMs: 1000 });
    const old = idle({ hasAsked: false, idleMs: 1001 });
    expect(firstToGiveWay([young])).to.equal(undefined);
    expect(firstToGiveWay([young, old])).to.equal(old);
    const asked = idle({ idleMs: 0 });
    expect(firstToGiveWay([young, old, asked])).to.equal(asked);
  });
});
