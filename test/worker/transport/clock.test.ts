import { expect } from 'chai';
import { Clock, type Expiring } from '../../../src/worker/transport/clock.ts';
import { handTime } from '../helpers/hand-time.ts';

class Waiter implements Expiring {
  readDeadlineMs = Infinity;
  writeDeadlineMs = Infinity;
  readonly expired: string[] = [];
  expire(which: 'read' | 'write'): void {
    this.expired.push(which);
    if (which === 'read') this.readDeadlineMs = Infinity;
    else this.writeDeadlineMs = Infinity;
  }
}

function setUp() {
  const time = handTime();
  const watched = new Set<Expiring>();
  const clock = new Clock(watched, time);
  const waiter = new Waiter();
  watched.add(waiter);
  clock.start();
  const { run } = time;
  return { time, watched, clock, waiter, run };
}

describe('Clock', () => {
  it('expires a wait after its time, never early and at most two ticks late', () => {
    for (const ms of [0, 1, 100, 499, 500, 501, 1999, 10_000]) {
      const { clock, waiter, time } = setUp();
      time.pass(250);
      waiter.readDeadlineMs = clock.after(ms);
      let waitedMs = -250;
      while (waiter.expired.length === 0) {
        time.pass(waitedMs < 0 ? 250 : 500);
        waitedMs = waitedMs < 0 ? 250 : waitedMs + 500;
        time.tick();
      }
      expect(waitedMs, `${ms} ms`).to.be.within(ms, ms + 1000);
    }
  });

  it('tells reading from writing', () => {
    const { clock, waiter, run } = setUp();
    waiter.writeDeadlineMs = clock.after(600);
    waiter.readDeadlineMs = clock.after(2000);
    run(1500);
    expect(waiter.expired).to.deep.equal(['write']);
    run(1500);
    expect(waiter.expired).to.deep.equal(['write', 'read']);
  });

  it('does not count time during which the process could not run', () => {
    const { clock, waiter, time, run } = setUp();
    waiter.readDeadlineMs = clock.after(5000);
    time.pass(3_600_000);
    time.tick();
    expect(waiter.expired).to.deep.equal([]);
    expect(clock.nowMs).to.equal(1000);
    run(5000);
    expect(waiter.expired).to.deep.equal(['read']);
  });

  it('runs one timer while there is something to watch, and none when there is not', () => {
    const { clock, watched, time, run } = setUp();
    clock.start();
    expect(time.intervals).to.equal(1);
    watched.clear();
    run(500);
    expect(time.intervals).to.equal(0);
    watched.add(new Waiter());
    clock.start();
    expect(time.intervals).to.equal(1);
  });

  it('does not count the time during which it stood still', () => {
    const { clock, watched, waiter, time, run } = setUp();
    watched.clear();
    run(500);
    const before = clock.nowMs;
    time.pass(60_000);
    watched.add(waiter);
    clock.start();
    waiter.readDeadlineMs = clock.after(1000);
    run(500);
    expect(clock.nowMs - before).to.equal(500);
    expect(waiter.expired).to.deep.equal([]);
  });
});
