import { expect } from 'chai';
import { ready, readySignal } from '../../../src/worker/process/readiness.ts';

describe('ready()', () => {
  it('does nothing where nobody waits', () => {
    ready();
  });

  it('is heard by who waits, once', async () => {
    const heard: string[] = [];
    const signal = readySignal().then(() => heard.push('heard'));
    await Promise.resolve();
    expect(heard).to.deep.equal([]);
    ready();
    ready();
    await signal;
    expect(heard).to.deep.equal(['heard']);
  });

  it('is heard from another copy of evy', async () => {
    const signal = readySignal();
    const copy = (await import(`../../../src/worker/process/readiness.ts?copy=${Date.now()}`)) as { ready: () => void };
    expect(copy.ready).to.not.equal(ready);
    copy.ready();
    await signal;
  });
});
