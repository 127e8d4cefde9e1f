import { expect } from 'chai';
import { BakeWatch, judge, lagReports } from '../../../src/master/reload/bake.ts';
import type { BakeFacts, BakeLimits } from '../../../src/master/reload/bake.ts';
import type { WorkerStats } from '../../../src/shared/protocol/messages.ts';

const limits: BakeLimits = { bakeMs: 30_000, bakeMaxErrorPercent: 5, bakeMaxCrashes: 1, bakeMaxLagMs: 500 };
const facts = (change: Partial<BakeFacts> = {}): BakeFacts => ({
  answers: 1000,
  errors: 0,
  crashes: 0,
  lagMs: 0,
  leftMs: 10_000,
  ...change,
});

describe('the verdict on a new generation', () => {
  const cases: Array<[what: string, facts: Partial<BakeFacts>, limits: Partial<BakeLimits>, verdict: string]> = [
    ['all is well, time is left', {}, {}, 'open'],
    ['all is well, old workers still serve', { leftMs: Infinity }, {}, 'open'],
    ['all is well, time is over', { leftMs: 0 }, {}, 'passed'],
    ['nothing happened, time is over', { answers: 0, leftMs: 0 }, {}, 'passed'],
    ['as many errors as allowed', { errors: 50 }, {}, 'open'],
    ['more errors than allowed', { errors: 51 }, {}, '51 of 1000 responses were 5xx (5.1 %)'],
    ['more errors than allowed, time is over', { errors: 51, leftMs: 0 }, {}, 'responses were 5xx'],
    ['more errors than allowed, old workers still serve', { errors: 51, leftMs: Infinity }, {}, 'responses were 5xx'],
    ['no error allowed', { errors: 1 }, { bakeMaxErrorPercent: 0 }, 'which is more than 0 % (option bakeMaxErrorRate)'],
    ['any error allowed', { errors: 1000 }, { bakeMaxErrorPercent: 100 }, 'open'],
    ['too few answers for a rate', { answers: 19, errors: 19 }, {}, 'open'],
    ['just enough answers for a rate', { answers: 20, errors: 20 }, {}, '20 of 20 responses were 5xx (100.0 %)'],
    ['as many crashes as allowed', { crashes: 1 }, {}, 'open'],
    ['more crashes than allowed', { crashes: 2 }, {}, '2 workers died, which is more than 1 (option bakeMaxCrashes)'],
    ['no crash allowed', { crashes: 1 }, { bakeMaxCrashes: 0 }, 'a worker died, which is more than 0'],
    ['as late as allowed', { lagMs: 500 }, {}, 'open'],
    [
      'later than allowed',
      { lagMs: 612.4 },
      {},
      'an event loop was 612ms late, which is more than 500ms (option bakeMaxLag)',
    ],
    ['crashes are named before errors', { crashes: 2, errors: 999 }, {}, '2 workers died'],
  ];
  for (const [what, given, limit, expected] of cases) {
    it(`${what}: ${expected}`, () => {
      const verdict = judge({ ...limits, ...limit }, facts(given));
      expect(verdict.is === 'failed' ? verdict.reason : verdict.is).to.contain(expected);
    });
  }
});

const stats = (change: Partial<WorkerStats>): WorkerStats => ({
  connections: 0,
  activeRequests: 0,
  requests: 0,
  pendingHooks: 0,
  answers2xx: 0,
  answers3xx: 0,
  answers4xx: 0,
  answers5xx: 0,
  rssBytes: 0,
  lagMs: 0,
  utilisation: 0,
  asleep: false,
  healthChecks: 0,
  turnedAway: 0,
  received: 0,
  failedHandshakes: 0,
  ...change,
});

describe('what is watched while a generation bakes', () => {
  it('is the latest of each worker, those that died included', () => {
    const watch = new BakeWatch(limits);
    watch.noteStats(1, stats({ answers2xx: 5, answers5xx: 1 }));
    watch.noteStats(1, stats({ answers2xx: 10, answers3xx: 20, answers4xx: 30, answers5xx: 2 }));
    watch.noteStats(2, stats({ answers5xx: 3 }));
    watch.noteCrash();
    expect(watch.facts(0)).to.deep.equal({ answers: 65, errors: 5, crashes: 1, lagMs: 0, leftMs: Infinity });
  });

  it('is a lag that lasts, of the worker that has most of it', () => {
    const watch = new BakeWatch(limits);
    const report = (worker: number, ...lags: number[]) =>
      lags.forEach((lagMs) => watch.noteStats(worker, stats({ lagMs })));
    report(1, 10, 10, 10, 10, 10);
    report(2, ...Array<number>(lagReports - 1).fill(5000));
    expect(watch.facts(0).lagMs).to.equal(10);
    report(2, 5000);
    expect(watch.facts(0).lagMs).to.equal(5000);
    report(2, 0, 0, 0, 0);
    expect(watch.facts(0).lagMs).to.equal(1000);
    report(2, 0);
    expect(watch.facts(0).lagMs).to.equal(10);
  });

  it('ends its time after the new generation serves alone', () => {
    const watch = new BakeWatch(limits);
    expect(watch.verdict(1e9)).to.deep.equal({ is: 'open' });
    watch.begin(1000);
    expect(watch.leftMs(1000)).to.equal(30_000);
    expect(watch.verdict(30_999)).to.deep.equal({ is: 'open' });
    expect(watch.verdict(31_000)).to.deep.equal({ is: 'passed' });
  });
});
