import { expect } from 'chai';
import { seededRandom } from './random.ts';
import { drawStep, stepText, type StepKind } from './steps.ts';

const draw = (seed: number, count: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => drawStep(random, { longestBlockMs: 3000 }));
};

describe('the steps of chaos', () => {
  it('are the same for the same seed, and others for another one', () => {
    expect(draw(1, 100)).to.deep.equal(draw(1, 100));
    expect(draw(1, 100)).not.to.deep.equal(draw(2, 100));
  });

  it('are of every kind, within a thousand', () => {
    const kinds = new Set(draw(1, 1000).map(({ kind }) => kind));
    const all: Record<StepKind, true> = {
      'reload': true,
      'more': true,
      'fewer': true,
      'kill-all': true,
      'storm': true,
      'upgrade': true,
      'crash': true,
      'broken-release': true,
      'slow-release': true,
      'kill': true,
      'retire': true,
      'stop': true,
      'stop-master': true,
      'block': true,
      'grow': true,
    };
    expect([...kinds]).to.have.members(Object.keys(all));
  });

  it('are lines of a report', () => {
    expect(stepText({ kind: 'stop', pauseMs: 70, whom: 0.12345, lastsMs: 900 })).to.equal(
      'stop pauseMs=70 whom=0.123 lastsMs=900',
    );
  });
});
