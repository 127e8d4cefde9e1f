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

describe('the connections that give way', () => {
  const first = (connections: IdleConnection[], most = 8) =>
    firstToGiveWay(connections, most).map(({ connection }) => connection);

  it('are those that have been idle for longest, in this order', () => {
    const [longest, second, third] = [idle({ idleMs: 30 }), idle({ idleMs: 30 }), idle({ idleMs: 25 })];
    const all = [idle({ idleMs: 20 }), longest, third, second, idle({ idleMs: 10 })];
    expect(first(all, 1)).to.deep.equal([longest]);
    expect(first(all, 3)).to.deep.equal([longest, second, third]);
    expect(first(all)).to.have.length(5);
    expect(first([])).to.deep.equal([]);
  });

  it('have never asked only if all others are busy, and they had time to', () => {
    const young = idle({ hasAsked: false, idleMs: 1000 });
    const old = idle({ hasAsked: false, idleMs: 1001 });
    expect(first([young])).to.deep.equal([]);
    expect(first([young, old])).to.deep.equal([old]);
    const asked = idle({ idleMs: 0 });
    expect(first([young, old, asked])).to.deep.equal([asked]);
  });
});
