import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { watchVitalSigns } from '../../../src/worker/process/vital-signs.ts';

describe('vital signs', () => {
  it('are memory, and how late and how busy the event loop was since they were asked for last', async () => {
    const signs = watchVitalSigns();
    const first = signs();
    expect(first.rssBytes).to.be.within(10_000_000, 10_000_000_000);
    expect(first.lagMs).to.be.a('number').that.is.at.least(0);
    // Node's timer begins with its first tick.
    await sleep(300);
    signs();
    for (const end = performance.now() + 600; performance.now() < end;) {
      // busy
    }
    await sleep(50);
    const busy = signs();
    expect(busy.lagMs).to.be.at.least(100);
    expect(busy.utilisation).to.be.within(0.5, 1);
    await sleep(300);
    expect(signs().utilisation).to.be.below(0.5);
  });
});
