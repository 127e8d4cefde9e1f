import { expect } from 'chai';
import { Crew } from '../../../src/master/workers/crew.ts';
import { Opening } from '../../../src/master/workers/accepting.ts';
import type { WorkerHandle } from '../../../src/master/workers/worker.ts';
import { silentLogger } from '../../../src/shared/log/log.ts';

/** One that died before it was ready, as the second in a row in its place. */
const dead = { readyForMs: undefined, streak: 1, generation: { number: 1 } } as unknown as WorkerHandle;

describe('what the dead of a crew owe', () => {
  it('is looked at again when it becomes due, also when that is between two looks at the clock', () => {
    let nowMs = 1000;
    const parts = { listeners: [], workerEntry: '', logger: silentLogger, moving: false, opening: new Opening(true) };
    const crew = new Crew({ ...parts, emit: () => {}, report: () => {}, nowMs: () => nowMs });
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
