import { expect } from 'chai';
import { noticeMs, Quiet, watchTickMs } from '../../src/shared/quiet.ts';

describe('Quiet', () => {
  it('counts from tick to tick, anew whenever something is heard', () => {
    const quiet = new Quiet(100, 5_000);
    expect([5_100, 5_200, 5_300].map((nowMs) => quiet.tick(nowMs))).to.deep.equal([100, 200, 300]);
    quiet.heard();
    expect(quiet.ms).to.equal(0);
    expect(quiet.tick(5_400)).to.equal(100);
  });

  it('counts no look for more than two ticks: who did not run himself has nothing to complain of', () => {
    const quiet = new Quiet(100, 0);
    expect(quiet.tick(100)).to.equal(100);
    expect(quiet.tick(3_600_000)).to.equal(300);
    expect(quiet.tick(3_600_100)).to.equal(400);
  });
});

describe('the ticks of a watch', () => {
  it('are ten to its patience, and at least one a second', () => {
    const given = [1_000, 3_000, 10_000, 30_000, 3_600_000];
    expect(given.map(watchTickMs)).to.deep.equal([100, 300, 1_000, 1_000, 1_000]);
  });
  it('leave time to say it before anything is done', () => {
    for (const stuckMs of [1_000, 2_000, 30_000]) {
      expect(noticeMs(stuckMs))
        .to.be.greaterThan(2 * watchTickMs(stuckMs))
        .and.lessThan(stuckMs / 2);
    }
  });
});
