import { expect } from 'chai';
import { newlyOverdue, settlingMs } from '../../../src/master/workers/recycling.ts';
import type { AgingWorker, RecyclingLimits } from '../../../src/master/workers/recycling.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { fakeCrew } from '../helpers/fake-crew.ts';

const none: RecyclingLimits = {
  maxRequests: 0,
  maxRequestsJitter: 0,
  maxAgeMs: 0,
  maxAgeJitterMs: 0,
  maxMemoryBytes: 0,
  maxTotalMemoryBytes: 0,
};
let lastId = 0;
const worker = (limits: Partial<RecyclingLimits>, change: Partial<AgingWorker> = {}): AgingWorker => ({
  id: (lastId += 1),
  limits: { ...none, ...limits },
  overdue: undefined,
  requests: 1_000_000,
  readyForMs: 86_400_000,
  rssBytes: 1_000_000_000,
  chance: 0,
  ...change,
});
/** The reasons of some workers, in their order. */
const reasons = (...workers: AgingWorker[]) => {
  const found = newlyOverdue(workers);
  return workers.map(({ id }) => found.get(id) ?? '-').join(' ');
};

describe('a worker is overdue', () => {
  const cases: Array<[what: string, limits: Partial<RecyclingLimits>, change: Partial<AgingWorker>, reason: string]> = [
    ['never without limits', {}, {}, '-'],
    ['not before its requests', { maxRequests: 100 }, { requests: 99 }, '-'],
    ['after its requests', { maxRequests: 100 }, { requests: 100 }, 'maxRequests'],
    [
      'some requests later, at random',
      { maxRequests: 100, maxRequestsJitter: 10 },
      { requests: 104, chance: 0.5 },
      '-',
    ],
    ['then', { maxRequests: 100, maxRequestsJitter: 10 }, { requests: 105, chance: 0.5 }, 'maxRequests'],
    [
      'at most all of them later',
      { maxRequests: 100, maxRequestsJitter: 10 },
      { requests: 110, chance: 0.999 },
      'maxRequests',
    ],
    ['not before its time', { maxAgeMs: 1000 }, { readyForMs: 999 }, '-'],
    ['after its time', { maxAgeMs: 1000 }, { readyForMs: 1000 }, 'maxAge'],
    ['some time later, at random', { maxAgeMs: 1000, maxAgeJitterMs: 100 }, { readyForMs: 1049, chance: 0.5 }, '-'],
    ['then', { maxAgeMs: 1000, maxAgeJitterMs: 100 }, { readyForMs: 1050, chance: 0.5 }, 'maxAge'],
    ['not while it is small', { maxMemoryBytes: 1000 }, { rssBytes: 999 }, '-'],
    ['when it is large', { maxMemoryBytes: 1000 }, { rssBytes: 1000 }, 'maxMemory'],
    ['not right after its start', { maxMemoryBytes: 1000 }, { readyForMs: settlingMs - 1 }, '-'],
    ['once', { maxRequests: 1 }, { overdue: 'maxAge' }, '-'],
    ['alone it is all together', { maxTotalMemoryBytes: 1000 }, { rssBytes: 1000 }, 'maxTotalMemory'],
  ];
  for (const [what, limits, change, reason] of cases) {
    it(`${what}: ${reason}`, () => {
      expect(reasons(worker(limits, change))).to.equal(reason);
    });
  }

  it('the largest one first, when all together are too large, and no second one before it is gone', () => {
    const limits = { maxTotalMemoryBytes: 100 };
    const of = (rssBytes: number, change: Partial<AgingWorker> = {}) => worker(limits, { rssBytes, ...change });
    expect(reasons(of(40), of(59))).to.equal('- -');
    expect(reasons(of(40), of(60), of(10))).to.equal('- maxTotalMemory -');
    expect(reasons(of(40), of(60, { overdue: 'maxTotalMemory' }), of(50))).to.equal('- - -');
    expect(reasons(of(40), of(60, { readyForMs: 0 }))).to.equal('maxTotalMemory -');
    expect(reasons(worker({ ...limits, maxRequests: 1 }, { rssBytes: 90 }), of(95))).to.equal('maxRequests -');
  });
});

describe('a master replaces workers that are overdue', () => {
  it('one at a time, the new one first, and says why', async () => {
    const crew = await fakeCrew({}, { workers: 3, maxRequests: 1000 });
    await crew.master.start();
    const old = crew.pids();
    for (const pid of old) process.kill(pid, 'SIGUSR1');
    await crew.until('worker:exit', 3);
    await crew.settled(3, 1);
    expect(crew.pids().some((pid) => old.includes(pid))).to.equal(false);
    expect(crew.lines('worker.retiring').map(({ worker: id, reason }) => [id, reason])).to.deep.equal([
      [1, 'maxRequests'],
      [2, 'maxRequests'],
      [3, 'maxRequests'],
    ]);
    let ready = 0;
    for (const [name] of crew.events.slice(crew.events.findIndex(([one]) => one === 'ready'))) {
      if (name === 'worker:ready') ready += 1;
      if (name === 'worker:retiring') ready -= 1;
      expect(ready).to.be.within(0, 1);
    }
  });

  it('not while the replacement cannot boot', async () => {
    const crew = await fakeCrew({}, { workers: 1, maxRequests: 1000 });
    await crew.master.start();
    const [pid] = crew.pids();
    crew.behave({ boot: 'fail' });
    process.kill(pid!, 'SIGUSR1');
    await waitFor('a delay', () => crew.lines('worker.delayed').length > 1);
    expect((await crew.ask())[1]).to.equal(pid);
    expect(crew.lines('worker.retiring')).to.deep.equal([]);
    crew.behave({});
    await crew.until('worker:retiring');
    await crew.settled(1, 1);
  });
});
