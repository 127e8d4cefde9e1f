import { expect } from 'chai';
import { RequestDeadlines } from '../../../src/worker/request/request-deadlines.ts';
import { handTime } from '../helpers/hand-time.ts';

function setUp(timeoutMs: number) {
  const time = handTime();
  const underWay = new Set<{ name: string }>();
  const timedOut: string[] = [];
  const deadlines = new RequestDeadlines(
    timeoutMs,
    () => underWay,
    (request) => {
      timedOut.push(request.name);
      underWay.delete(request);
    },
    time,
  );
  const { run } = time;
  const begin = (name: string) => {
    const request = { name };
    underWay.add(request);
    return () => underWay.delete(request);
  };
  return { time, deadlines, timedOut, run, begin };
}

describe('the deadlines of requests', () => {
  it('are never early and at most three ticks late', () => {
    for (const timeoutMs of [1, 499, 500, 1_000, 30_000]) {
      const { run, begin, timedOut, deadlines, time } = setUp(timeoutMs);
      run(10_000);
      time.pass(250);
      begin('one');
      let agedMs = -250;
      while (timedOut.length === 0) {
        time.pass(agedMs < 0 ? 250 : 500);
        agedMs = agedMs < 0 ? 250 : agedMs + 500;
        time.tick();
      }
      expect(agedMs, `${timeoutMs} ms`)
        .to.be.at.least(timeoutMs)
        .and.at.most(timeoutMs + 1_500);
      deadlines.stop();
    }
  });

  it('are those of each request by itself', () => {
    const { run, begin, timedOut, deadlines } = setUp(2_000);
    begin('first');
    run(1_000);
    const end = begin('second');
    begin('third');
    run(1_000);
    end();
    run(500);
    expect(timedOut).to.deep.equal(['first']);
    run(1_500);
    expect(timedOut).to.deep.equal(['first', 'third']);
    deadlines.stop();
  });

  it('do not count the time in which the process did not run', () => {
    const { run, begin, timedOut, deadlines, time } = setUp(5_000);
    begin('one');
    run(1_000);
    time.pass(3_600_000);
    run(2_000);
    expect(timedOut).to.deep.equal([]);
    run(3_000);
    expect(timedOut).to.deep.equal(['one']);
    deadlines.stop();
  });

  it('end with the server, and are not there without the option', () => {
    const { deadlines, time } = setUp(1_000);
    expect(time.intervals).to.equal(1);
    deadlines.stop();
    expect(time.intervals).to.equal(0);
    expect(
      RequestDeadlines.of(
        0,
        () => [],
        () => {},
        time,
      ),
    ).to.equal(undefined);
    expect(time.intervals).to.equal(0);
  });
});
