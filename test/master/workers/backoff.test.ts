import { expect } from 'chai';
import {
  addPlace,
  waitAfterDeath,
  delayMs,
  dropShortest,
  hastenFirst,
  heldPlaces,
  isQuickDeath,
  nextDueMs,
  fillPlace,
  openHeld,
} from '../../../src/master/workers/backoff.ts';

describe('back-off', () => {
  it('replaces the first one that died quickly at once, then waits 0.5 s, 1 s, 2 s ... up to 30 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 5000].map((streak) => delayMs(streak, 0));
    expect(delays).to.deep.equal([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('takes up to a quarter off by chance', () => {
    expect(delayMs(3, 0.5)).to.equal(875);
    expect(delayMs(3, 0.999_999)).to.equal(750);
    expect(delayMs(1, 0.5)).to.equal(0);
  });

  it('counts a death as quick before the worker was ready, and within 5 s of it', () => {
    expect(isQuickDeath(undefined)).to.equal(true);
    expect(isQuickDeath(4999)).to.equal(true);
    expect(isQuickDeath(5000)).to.equal(false);
  });

  it('asks nothing of a worker that had been up, and no delay of one that has answered', () => {
    expect(waitAfterDeath({ readyForMs: 5000, hasAnswered: false }, 7, 0)).to.deep.equal({
      streak: 0,
      waitMs: 0,
      soonMs: 0,
    });
    let streak = 0;
    for (let death = 0; death < 100; death += 1) {
      const debt = waitAfterDeath({ readyForMs: 40, hasAnswered: true }, streak, 0);
      expect(debt.waitMs).to.equal(0);
      ({ streak } = debt);
    }
    // What cannot start after that waits as if it were the third in the row, not the hundredth.
    expect(waitAfterDeath({ readyForMs: undefined, hasAnswered: false }, streak, 0)).to.deep.equal({
      streak: 3,
      waitMs: 1000,
      soonMs: undefined,
    });
    expect(waitAfterDeath({ readyForMs: 40, hasAnswered: false }, 8, 0)).to.deep.equal({
      streak: 9,
      waitMs: 30_000,
      soonMs: 500,
    });
  });

  it('fills one place soon while nobody serves, if its worker had been ready', () => {
    const never = { streak: 9, dueAtMs: 30_000 };
    const [first, second] = [
      { streak: 9, dueAtMs: 31_000, soonAtMs: 1_500 },
      { streak: 9, dueAtMs: 20_000, soonAtMs: 2_500 },
    ];
    const before = [second, never, first];
    const after = hastenFirst(before);
    expect(after).to.deep.equal([{ ...first, dueAtMs: 1_500 }, second, never]);
    expect(hastenFirst(after)).to.deep.equal(after);
    expect(hastenFirst([never])).to.deep.equal([never]);
    expect(hastenFirst([])).to.deep.equal([]);
    const held = { streak: 1, dueAtMs: Infinity };
    expect(hastenFirst([held])).to.deep.equal([held]);
  });

  it('holds each place until its debt is due, and hands the row on to the worker that fills it', () => {
    const backoff = addPlace(addPlace([], { streak: 3, dueAtMs: 200 }), { streak: 1, dueAtMs: 100 });
    expect(heldPlaces(backoff, 50)).to.equal(2);
    expect(heldPlaces(backoff, 100)).to.equal(1);
    expect(nextDueMs(backoff, 50)).to.equal(100);
    expect(nextDueMs(backoff, 100)).to.equal(200);
    expect(nextDueMs(backoff, 200)).to.equal(undefined);
    expect(fillPlace(backoff, 50)).to.deep.equal({ backoff, streak: 0 });
    const first = fillPlace(backoff, 150);
    expect(first).to.deep.equal({ backoff: [{ streak: 3, dueAtMs: 200 }], streak: 1 });
    expect(fillPlace(first.backoff, 200)).to.deep.equal({ backoff: [], streak: 3 });
    expect(fillPlace([], 0)).to.deep.equal({ backoff: [], streak: 0 });
  });

  it('makes what was held due', () => {
    const backoff = addPlace(addPlace([], { streak: 1, dueAtMs: Infinity }), { streak: 2, dueAtMs: 100 });
    expect(openHeld(backoff, 300).map(({ dueAtMs }) => dueAtMs)).to.deep.equal([100, 300]);
  });

  it('forgives the places with the shortest rows, of equals those that would be filled last', () => {
    const [short, soon, old] = [
      { streak: 1, dueAtMs: 100 },
      { streak: 3, dueAtMs: 200 },
      { streak: 8, dueAtMs: 900 },
    ];
    const late = { streak: 3, dueAtMs: 300 };
    const backoff = [short, soon, late, old];
    expect(dropShortest(backoff, 1)).to.deep.equal([soon, late, old]);
    expect(dropShortest(backoff, 2)).to.deep.equal([soon, old]);
    expect(dropShortest(backoff, 3)).to.deep.equal([old]);
    expect(dropShortest(backoff, 9)).to.deep.equal([]);
    for (const none of [0, -1]) expect(dropShortest(backoff, none)).to.deep.equal(backoff);
  });
});
