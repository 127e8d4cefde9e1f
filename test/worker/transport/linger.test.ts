import { expect } from 'chai';
import { Linger, lingerMs } from '../../../src/worker/transport/linger.ts';

describe('a closing connection', () => {
  it('is read on as long as something came since the last look', () => {
    const linger = new Linger(0, 100);
    expect(linger.goesOn(lingerMs, 101)).to.equal(true);
    expect(linger.goesOn(2 * lingerMs, 101)).to.equal(false);
  });

  it('is read on for half a minute at most', () => {
    const linger = new Linger(0, 0);
    let [nowMs, bytes] = [0, 0];
    do {
      nowMs += lingerMs;
      bytes += 1;
    } while (linger.goesOn(nowMs, bytes));
    expect(nowMs).to.equal(30_000);
  });
});
