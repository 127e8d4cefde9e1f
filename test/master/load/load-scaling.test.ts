import { expect } from 'chai';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { firstPauseMs, longestPauseMs, settleMs } from '../../../src/master/load/load-policy.ts';
import { LoadScaling } from '../../../src/master/load/load-scaling.ts';
import type { LoadScalingParts } from '../../../src/master/load/load-scaling.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { fakeCrew } from '../helpers/fake-crew.ts';

describe('a master with a range of workers', () => {
  it('starts with the least, and has more when they are busy', async () => {
    const crew = await fakeCrew({ stats: { utilisation: 0.9 } }, { workers: '1..2' });
    await crew.master.start();
    await crew.settled(2, 1);
    expect(crew.lines('scale')).to.deep.equal([{ from: 1, workers: 2, utilisation: 0.9 }]);
    expect(crew.events.find(([name]) => name === 'scale')).to.deep.equal([
      'scale',
      { from: 1, to: 2, utilisation: 0.9 },
    ]);
  });

  it('keeps a number outside of it that was set by hand', async () => {
    const crew = await fakeCrew({}, { workers: '2..3' });
    await crew.master.start();
    crew.behave({ stats: { utilisation: 1 } });
    await crew.master.scale(1);
    await crew.master.scale(4);
    await crew.settled(4, 1);
    expect(crew.lines('scale').every(({ utilisation }) => utilisation === undefined)).to.equal(true);
  });

  it('keeps its number over a reload, within the range that the new configuration has', async () => {
    let workers = '1..4';
    const crew = await fakeCrew({}, { workers }, { resolve: () => resolveInput({ app: crew.app, workers, port: 0 }) });
    await crew.master.start();
    await crew.master.scale(3);
    await crew.master.reload();
    await crew.settled(3, 2);
    workers = '1..2';
    await crew.master.reload();
    await crew.settled(2, 3);
  });
});

describe('the load of a master whose new workers cannot serve', () => {
  /** One worker that is busy all the time, and a clock. */
  function busy() {
    let nowMs = 1_000;
    let serving = 1;
    const range = { least: 1, most: 3 };
    const plan = {
      range,
      get wanted() {
        return { workers: 1, surge: 1, serving, candidate: null, warm: false, ending: 'no' } as const;
      },
      generation: () => ({ options: { scaleDownAfterMs: 1_000 } }),
    } as unknown as LoadScalingParts['plan'];
    const load = new LoadScaling({ plan, crew: { ready: [{ utilisation: 1 }] }, nowMs: () => nowMs });
    return {
      load,
      /** Asked once a second; milliseconds until it wants more workers again. */
      waits(): number {
        const fromMs = nowMs;
        while (load.next() === undefined && nowMs < 1e7) nowMs += 1_000;
        return nowMs - fromMs;
      },
      serve: (generation: number) => (serving = generation),
    };
  }

  it('asks again after 30 s, and after twice as long each time, up to 5 min', () => {
    const { load, waits } = busy();
    expect(waits()).to.equal(0);
    const waited = Array.from({ length: 6 }, () => {
      load.noteFailure(1);
      return waits();
    });
    expect(waited).to.deep.equal([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
    expect([waited[0], waited.at(-1)]).to.deep.equal([firstPauseMs, longestPauseMs]);
  });

  it('asks at once when one of them serves, or another release does, and begins anew then', () => {
    const { load, waits, serve } = busy();
    for (let times = 0; times < 3; times += 1) load.noteFailure(1);
    load.noteReady(2);
    expect(waits()).to.equal(120_000);
    load.noteFailure(1);
    load.noteReady(1);
    expect(waits()).to.equal(settleMs);
    load.noteFailure(1);
    expect(waits()).to.equal(firstPauseMs);
    load.noteFailure(1);
    serve(2);
    expect(waits()).to.equal(settleMs);
    load.noteFailure(2);
    expect(waits()).to.equal(firstPauseMs);
  });

  it('is told so by the master', async () => {
    const crew = await fakeCrew({ boot: 'crash', goodBoots: 1, stats: { utilisation: 1 } }, { workers: '1..2' });
    await crew.master.start();
    await crew.until('scale:failed');
    await crew.settled(1, 1);
    // Without a pause it would have asked again by then: the time itself is waited for.
    const fromMs = performance.now();
    await waitFor('a few looks', () => performance.now() - fromMs > settleMs + 1_500);
    expect(crew.lines('scale')).to.deep.equal([{ from: 1, workers: 2, utilisation: 1 }]);
    // Whoever asks by hand is not held up.
    crew.behave({ stats: { utilisation: 1 } });
    await crew.master.scale(2);
    await crew.settled(2, 1);
  });
});
