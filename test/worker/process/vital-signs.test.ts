import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { VitalSigns } from '../../../src/worker/process/vital-signs.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;) {
    // busy
  }
}

describe('vital signs', () => {
  it('are memory, and how late and how busy the event loop was since the last report', async () => {
    const signs = new VitalSigns();
    onEnd(() => signs.stop());
    signs.start();
    const first = signs.report();
    expect(first.rssBytes).to.be.within(10_000_000, 10_000_000_000);
    expect(first.lagMs).to.be.a('number').that.is.at.least(0);
    // Node's timer begins with its first tick.
    await sleep(300);
    // A machine that is busy with others may keep this process from being busy.
    await waitFor('a report of a busy loop', async () => {
      signs.report();
      burn(600);
      await sleep(50);
      const { lagMs, utilisation } = signs.report();
      return lagMs >= 100 && utilisation >= 0.5 && utilisation <= 1;
    });
    await waitFor('a report of an idle loop', async () => {
      signs.report();
      await sleep(300);
      return signs.report().utilisation < 0.5;
    });
  });

  it('take a sleep for no delay', async () => {
    const signs = new VitalSigns();
    onEnd(() => signs.stop());
    signs.start();
    await sleep(250);
    signs.stop();
    burn(500);
    expect(signs.report().lagMs).to.equal(0);
    await waitFor('a report without delay', async () => {
      signs.start();
      await sleep(350);
      const { lagMs } = signs.report();
      signs.stop();
      return lagMs < 100;
    });
  });

  it('take what was reported before a sleep for no delay after it', async () => {
    const signs = new VitalSigns();
    onEnd(() => signs.stop());
    signs.start();
    await waitFor('a report of a delay', async () => {
      await sleep(120);
      burn(600);
      await sleep(50);
      return signs.report().lagMs >= 50;
    });
    signs.stop();
    expect(signs.report().lagMs).to.equal(0);
  });

  it('tell whether the application worked, or took descriptors', async () => {
    const signs = new VitalSigns();
    signs.hasStirred();
    const spent = process.cpuUsage();
    while (process.cpuUsage(spent).user < 80_000) burn(1);
    expect(signs.hasStirred()).to.equal(true);
    const fds = Array.from({ length: 8 }, () => openSync('/dev/null', 'r'));
    expect(signs.hasStirred()).to.equal(true);
    expect(signs.hasStirred()).to.equal(false);
    for (const fd of fds) closeSync(fd);
    expect(signs.hasStirred()).to.equal(true);
  });
});
