import { expect } from 'chai';
import { BodyPace } from '../../../src/worker/loop/deadlines.ts';

/** 100 bytes a second, a minute at most. */
function setUp(mostMs = 60_000): BodyPace {
  const pace = new BodyPace(100, mostMs);
  pace.begin();
  return pace;
}

describe('BodyPace', () => {
  it('gives five seconds for nothing, or what is the most when that is less', () => {
    expect(setUp().wait(1000)).to.equal(5000);
    expect(setUp(2000).wait(1000)).to.equal(2000);
  });

  it('gives as long for bytes as they may take', () => {
    const pace = setUp();
    pace.wait(0);
    pace.received(300, 1000);
    expect(pace.wait(1000)).to.equal(5000 - 1000 + 3000);
  });

  it('is used up by a sender that stays below the rate, however it spreads its bytes', () => {
    for (const everyMs of [100, 500, 2000]) {
      const pace = setUp();
      let nowMs = 0;
      pace.wait(nowMs);
      for (;;) {
        nowMs += everyMs;
        if (pace.leftMs(nowMs) <= 0 || nowMs > 100_000) break;
        pace.received((everyMs / 1000) * 50, nowMs);
        pace.wait(nowMs);
      }
      expect(nowMs).to.be.within(8000, 12_000);
    }
  });

  it('is never used up by a sender at the rate', () => {
    const pace = setUp();
    pace.wait(0);
    for (let nowMs = 500; nowMs < 1_000_000; nowMs += 500) {
      expect(pace.leftMs(nowMs)).to.be.above(0);
      pace.received(50, nowMs);
      pace.wait(nowMs);
    }
  });

  it('lets nobody save more than the most', () => {
    const pace = setUp();
    pace.received(1_000_000, 0);
    expect(pace.wait(0)).to.equal(60_000);
  });

  it('does not run while it is not the turn of the sender', () => {
    const pace = setUp();
    pace.wait(0);
    pace.pause(1000);
    pace.pause(50_000);
    expect(pace.leftMs(90_000)).to.equal(4000);
    expect(pace.wait(100_000)).to.equal(4000);
    expect(pace.wait(103_000)).to.equal(1000);
    expect(pace.wait(105_000)).to.equal(-1000);
  });

  it('remembers what was waited too long, so that a byte now and then does not put off the end', () => {
    const pace = setUp();
    pace.wait(0);
    pace.received(1, 7000);
    expect(pace.wait(7000)).to.equal(-1990);
  });

  it('begins anew with the next body', () => {
    const pace = setUp();
    pace.wait(0);
    pace.pause(4000);
    pace.begin();
    expect(pace.wait(4000)).to.equal(5000);
  });
});
