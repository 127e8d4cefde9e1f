import { expect } from 'chai';
import { Alertness } from '../../../src/worker/process/alertness.ts';
import { fakeTime } from '../helpers/fake-time.ts';

function sleeper(asleepReportMs = 10_000) {
  const time = fakeTime();
  const seen: string[] = [];
  const facts = { works: false, stirred: false };
  const alertness = new Alertness({
    watches: [{ start: () => seen.push('start'), stop: () => seen.push('stop') }],
    hasWork: () => facts.works,
    hasStirred: () => facts.stirred,
    onWork: () => seen.push('work'),
    report: (asleep) => seen.push(asleep ? 'asleep' : 'awake'),
    asleepReportMs,
  });
  const looks = (count: number): string[] => {
    seen.length = 0;
    for (let look = 0; look < count; look += 1) time.tick();
    return [...seen];
  };
  return { alertness, facts, seen, looks, time };
}

describe('a worker without work', () => {
  it('sleeps, and is heard of now and then', () => {
    const { alertness, seen, looks, time } = sleeper();
    alertness.start();
    expect(seen).to.deep.equal([]);
    expect(looks(1)).to.deep.equal(['asleep']);
    expect(looks(20)).to.deep.equal(['asleep', 'asleep']);
    alertness.stop();
    expect(time.intervals).to.equal(0);
  });

  it('is awake from its first connection on, and while it has any', () => {
    const { alertness, facts, seen, looks } = sleeper();
    alertness.start();
    looks(2);
    seen.length = 0;
    alertness.note(0);
    expect(seen).to.deep.equal([]);
    facts.works = true;
    alertness.note(1);
    alertness.note(2);
    expect(seen).to.deep.equal(['start', 'awake', 'work']);
    expect(looks(3)).to.deep.equal(['work', 'awake', 'work', 'awake', 'work', 'awake']);
    facts.works = false;
    expect(looks(3)).to.deep.equal(['awake', 'stop', 'asleep']);
    alertness.stop();
  });

  it('wakes when its application works by itself', () => {
    const { alertness, facts, looks } = sleeper();
    alertness.start();
    looks(5);
    facts.stirred = true;
    expect(looks(1)).to.deep.equal(['start', 'awake', 'work']);
    facts.stirred = false;
    expect(looks(2)).to.deep.equal(['awake', 'stop', 'asleep']);
    alertness.stop();
  });

  it('reports that it wakes before its work can block it, each time, but not before it has started', () => {
    const { alertness, seen, looks } = sleeper();
    alertness.note(1);
    expect(seen).to.deep.equal(['start', 'work']);
    alertness.start();
    expect(looks(2)).to.deep.equal(['awake', 'stop', 'asleep']);
    for (let wake = 0; wake < 2; wake += 1) {
      seen.length = 0;
      alertness.note(1);
      expect(seen).to.deep.equal(['start', 'awake', 'work']);
      expect(looks(2)).to.deep.equal(['awake', 'stop', 'asleep']);
    }
    alertness.stop();
  });

  it('is heard of as often as the master must hear of it', () => {
    const { alertness, looks } = sleeper(300);
    expect(alertness.lookEveryMs).to.equal(300);
    alertness.start();
    expect(looks(3)).to.deep.equal(['asleep', 'asleep', 'asleep']);
    alertness.stop();
  });
});
