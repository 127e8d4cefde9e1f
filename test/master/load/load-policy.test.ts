import { expect } from 'chai';
import { changedAt, decideByLoad, noLoadYet, settleMs } from '../../../src/master/load/load-policy.ts';
import type { LoadMemory } from '../../../src/master/load/load-policy.ts';
import { silentAfterMs, utilisationNow } from '../../../src/master/workers/worker.ts';

const range = { least: 2, most: 8 };
const calmMs = 30_000;
const even = (workers: number, utilisation: number) => Array<number>(workers).fill(utilisation);

describe('the load wants', () => {
  const cases: Array<[what: string, workers: number, utilisations: Array<number | undefined>, to: number]> = [
    ['one more when all are busy', 2, even(2, 0.75), 3],
    ['as many as it takes', 4, even(4, 1), 7],
    ['no more than the most', 7, even(7, 1), 8],
    ['none above the most', 8, even(8, 1), 8],
    ['nothing while it is in between', 4, even(4, 0.74), 4],
    ['nothing for one that is busy among others that are not', 4, [1, 0.5, 0.5, 0.5], 4],
    ['nothing before each has told', 2, [1, undefined], 2],
    ['not one less at once', 8, even(8, 0), 8],
    ['nothing where more were set by hand', 9, even(9, 0), 9],
    ['nothing where fewer were set by hand', 1, even(1, 1), 1],
  ];
  for (const [what, workers, utilisations, to] of cases) {
    it(what, () => {
      expect(decideByLoad({ nowMs: 1e6, range, calmMs, canGrow: true, workers, utilisations }, noLoadYet).to).to.equal(
        to,
      );
    });
  }

  it('nothing right after a change', () => {
    const at = (nowMs: number) =>
      decideByLoad({ nowMs, range, calmMs, canGrow: true, workers: 2, utilisations: even(2, 1) }, changedAt(1000)).to;
    expect([at(1000), at(1000 + settleMs - 1), at(1000 + settleMs)]).to.deep.equal([2, 2, 4]);
  });
});

describe('the load where new workers cannot serve', () => {
  it('wants none, and still fewer when it is calm', () => {
    const decide = (nowMs: number, utilisation: number, memory: LoadMemory) =>
      decideByLoad({ nowMs, range, calmMs, canGrow: false, workers: 4, utilisations: even(4, utilisation) }, memory);
    expect(decide(1e6, 1, noLoadYet).to).to.equal(4);
    const { memory } = decide(1e6, 0, noLoadYet);
    expect(decide(1e6 + calmMs, 0, memory).to).to.equal(3);
  });
});

describe('a worker that is silent', () => {
  it('counts as busy after a while, whatever it told last', () => {
    expect(utilisationNow({ utilisation: 0.1, asleep: false }, silentAfterMs - 1)).to.equal(0.1);
    expect(utilisationNow({ utilisation: 0.1, asleep: false }, silentAfterMs)).to.equal(1);
    expect(utilisationNow({ utilisation: 0.1, asleep: true }, silentAfterMs)).to.equal(0.1);
    expect(utilisationNow(undefined, 0)).to.equal(undefined);
    expect(utilisationNow(undefined, silentAfterMs)).to.equal(1);
  });
});

/** One look a second at a load that counts in whole busy workers; returns when the number changed, and to what. */
function follow(load: (second: number) => number, seconds: number, atFirst = 2): Array<[second: number, to: number]> {
  const changes: Array<[number, number]> = [];
  let workers = atFirst;
  let memory: LoadMemory = noLoadYet;
  for (let second = 0; second < seconds; second += 1) {
    const utilisations = even(workers, Math.min(1, load(second) / workers));
    const decision = decideByLoad(
      { nowMs: second * 1000, range, calmMs, canGrow: true, workers, utilisations },
      memory,
    );
    memory = decision.memory;
    if (decision.to !== workers) changes.push([second, decision.to]);
    workers = decision.to;
  }
  return changes;
}

describe('over time the load', () => {
  it('has what it takes within seconds, however much it is', () => {
    expect(follow(() => 4.5, 60)).to.deep.equal([
      [0, 4],
      [3, 7],
    ]);
  });

  it('gives back one at a time', () => {
    const rises = (second: number) => (second < 10 ? 8 : 0);
    expect(follow(rises, 400, 4)).to.deep.equal([
      [0, 7],
      [3, 8],
      [40, 7],
      [70, 6],
      [100, 5],
      [130, 4],
      [160, 3],
      [190, 2],
    ]);
  });

  it('keeps what it may need again soon', () => {
    const comesAndGoes = (second: number) => (second % 20 === 0 ? 4.8 : 0);
    expect(follow(comesAndGoes, 400, 8)).to.deep.equal([]);
  });

  it('does not swing when it stays, whatever it is', () => {
    for (let load = 0; load <= 9; load += 0.1) {
      const late = follow(() => load, 1000, 5).filter(([second]) => second > 300);
      expect(late, `load ${load}`).to.deep.equal([]);
    }
  });
});
