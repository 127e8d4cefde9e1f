import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { watchVitalSigns } from '../../../src/worker/process/vital-signs.ts';
import { waitFor } from '../../helpers/wait-for.ts';

describe('vital signs', () => {
  it('are memory, and how late and how busy the event loop was since they were asked for last', async () => {
    const signs = watchVitalSigns();
    const first = signs();
    expect(first.rssBytes).to.be.within(10_000_000, 10_000_000_000);
    expect(first.lagMs).to.be.a('number').that.is.at.least(0);
    // Node's timer begins with its first tick.
    await sleep(300);
    // A machine that is busy with others may keep this process from being busy.
    await waitFor('a report of a busy loop', async () => {
      signs();
      for (const end = performance.now() + 600; performance.now() < end;) {
        // busy
      }
      await sleep(50);
      const { lagMs, utilisation } = signs();
      return lagMs >= 100 && utilisation >= 0.5 && utilisation <= 1;
    });
    await waitFor('a report of an idle loop', async () => {
      signs();
      await sleep(300);
      return signs().utilisation < 0.5;
    });
  });
});
