import { expect } from 'chai';
import { echo, expectNoLoss, light, onTwo, serve, underLoad, workersOf } from './serving.ts';

describe('workers that are recycled under load', () => {
  it('after their requests: one at a time, no request is lost, and there are as many as wanted', async function () {
    this.timeout(40_000);
    const evy = await serve([...onTwo, '--max-requests', '100', '--max-requests-jitter', '50', echo]);
    const load = await underLoad(evy, light);
    await evy.until('worker.exit', { times: 4, withinMs: 30_000 });
    expectNoLoss(await load.stop());
    for (const exit of evy.seen('worker.exit')) expect(exit).to.include({ level: 'info', code: 0 });
    for (const retiring of evy.seen('worker.retiring')) expect(retiring.reason).to.equal('maxRequests');
    expect((await workersOf(evy)).length).to.be.within(2, 4);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('after their time', async function () {
    this.timeout(40_000);
    const evy = await serve([...onTwo, '--max-age', '2s', echo]);
    await evy.until('worker.exit', { times: 2, withinMs: 30_000 });
    for (const retiring of evy.seen('worker.retiring')) expect(retiring.reason).to.equal('maxAge');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
