import { expect } from 'chai';
import { progressOf, ProgressReport } from '../../../src/master/loop/progress.ts';
import type { UnderWay } from '../../../src/master/loop/progress.ts';
import type { Wanted } from '../../../src/master/generations/plan.ts';
import type { Progress } from '../../../src/master/outcomes/results.ts';
import { fakeCrew } from '../helpers/fake-crew.ts';

const wanted: Wanted = { workers: 2, surge: 1, serving: 1, candidate: 2, warm: false, ending: 'no' };
const none: UnderWay = { reloads: [], scaling: undefined, stopping: false };
const seen = [
  { id: 1, generation: 1, state: 'draining' },
  { id: 2, generation: 1, state: 'ready' },
  { id: 3, generation: 2, state: 'ready' },
] as const;

describe('progress', () => {
  it('is told of all that is under way', () => {
    expect(progressOf(none, wanted, seen)).to.deep.equal([]);
    const reload = { generation: 2, phase: 'rolling', leaving: 1 } as const;
    expect(progressOf({ ...none, reloads: [reload], scaling: { leaving: 0 } }, wanted, seen)).to.deep.equal([
      { operation: 'reload', generation: 2, phase: 'rolling', ready: 1, workers: 2, leaving: 1 },
      { operation: 'scale', ready: 2, workers: 2, leaving: 0 },
    ]);
    expect(progressOf({ ...none, reloads: [reload], stopping: true }, wanted, seen)).to.deep.equal([
      { operation: 'stop', ready: 2, workers: 0, leaving: 1 },
    ]);
  });

  it('is told when it has changed', () => {
    const told: unknown[] = [];
    const report = new ProgressReport((name, ...values) => void told.push([name, ...values]));
    const step: Progress = { operation: 'scale', ready: 1, workers: 2, leaving: 0 };
    report.tell([step]);
    report.tell([{ ...step }]);
    report.tell([{ ...step, ready: 2 }]);
    report.tell([]);
    report.tell([step]);
    expect(told).to.deep.equal([
      ['progress', step],
      ['progress', { ...step, ready: 2 }],
      ['progress', step],
    ]);
  });

  it('is told by a master, up to the result', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const told = (operation: string) =>
      crew.events
        .filter(([name, step]) => name === 'progress' && (step as Progress).operation === operation)
        .map(([, step]) => step as Progress);
    await crew.master.reload();
    const phases = told('reload').map((step) => (step.operation === 'reload' ? step.phase : ''));
    expect([...new Set(phases)]).to.deep.equal(['preparing', 'canary', 'rolling', 'draining']);
    expect(told('reload').at(-1)).to.include({ ready: 2, workers: 2 });
    const result = await crew.master.scale(1);
    expect(result).to.include({ from: 2, to: 1, moved: 0, drained: 5, cut: 0 });
    await crew.until('scale:done');
    expect(crew.events.at(-1)).to.deep.equal(['scale:done', result]);
    expect(crew.lines('scale.done')).to.deep.equal([result]);
    expect(told('scale')[0]).to.include({ workers: 1, leaving: 1 });
    await crew.master.stop();
    expect(told('stop').at(-1)).to.deep.equal({ operation: 'stop', ready: 0, workers: 0, leaving: 0 });
  });
});
