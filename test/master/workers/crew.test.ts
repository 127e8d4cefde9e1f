import { expect } from 'chai';
import { Crew } from '../../../src/master/workers/crew.ts';
import { Opening } from '../../../src/master/workers/accepting.ts';
import type { WorkerHandle } from '../../../src/master/workers/worker.ts';
import { silentLogger } from '../../../src/shared/log/log.ts';

/** One that died before it was ready, as the second in a row in its place. */
const dead = {
  readyForMs: undefined,
  record: { hasAnswered: false },
  streak: 1,
  generation: { number: 1 },
} as unknown as WorkerHandle;

/** One that was ready, and died before it had answered anything, as the tenth in its row. */
const unlucky = {
  readyForMs: 10,
  record: { hasAnswered: false },
  streak: 9,
  generation: { number: 1 },
} as unknown as WorkerHandle;

describe('the wait of a place in the crew', () => {
  const parts = {
    listeners: [],
    workerEntry: '',
    logger: silentLogger,
    moving: false,
    opening: new Opening(true),
    emit: () => {},
    report: () => {},
  };

  it('is one place that is filled soon when nobody serves, if its worker had been ready', () => {
    let nowMs = 1000;
    const crew = new Crew({ ...parts, nowMs: () => nowMs });
    for (let place = 0; place < 3; place += 1) expect(crew.noteDeath(unlucky, { hold: false })).to.equal(10);
    crew.want(new Set([1]));
    expect(crew.held(1)).to.equal(3);
    expect(crew.nextWakeMs).to.equal(500);
    nowMs += 500;
    crew.want(new Set([1]));
    expect(crew.held(1)).to.equal(2);
  });

  it('is looked at again when it becomes due, also when that is between two looks at the clock', () => {
    let nowMs = 1000;
    const crew = new Crew({ ...parts, nowMs: () => nowMs });
    expect(crew.noteDeath(dead, { hold: false })).to.equal(2);
    crew.want(new Set([1]));
    expect(crew.held(1)).to.equal(1);
    const waitMs = crew.nextWakeMs!;
    expect(waitMs).to.be.within(375, 500);
    nowMs += waitMs - 0.1;
    crew.want(new Set([1]));
    expect(crew.held(1)).to.equal(1);
    nowMs += 0.2;
    expect(crew.nextWakeMs).to.equal(0);
    crew.want(new Set([1]));
    expect(crew.held(1)).to.equal(0);
    expect(crew.nextWakeMs).to.equal(undefined);
  });
});
