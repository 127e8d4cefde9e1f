import { expect } from 'chai';
import { basename } from 'node:path';
import { connect } from '../../helpers/raw-client.ts';
import { application, echo, expectNoLoss, light, onTwo, serve, underLoad, workersOf } from './serving.ts';

describe('workers that are recycled under load', () => {
  it('after their requests: one at a time, no request is lost, and there are as many as wanted', async function () {
    const evy = await serve([...onTwo, '--max-requests', '100', '--max-requests-jitter', '50', echo]);
    const load = await underLoad(evy, light);
    await evy.until('worker.exit', { times: 4 });
    expectNoLoss(await load.stop());
    for (const exit of evy.seen('worker.exit')) expect(exit).to.include({ level: 'info', code: 0 });
    for (const retiring of evy.seen('worker.retiring')) expect(retiring.reason).to.equal('maxRequests');
    expect((await workersOf(evy)).length).to.be.within(2, 4);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('after their time', async function () {
    const evy = await serve([...onTwo, '--max-age', '2s', echo]);
    await evy.until('worker.exit', { times: 2 });
    for (const retiring of evy.seen('worker.retiring')) expect(retiring.reason).to.equal('maxAge');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  for (const app of [echo, application('hammered-fetch'), application('hammered-node')]) {
    it(`after their requests, health checks not counted: ${basename(app)}`, async function () {
      const evy = await serve([
        '--port',
        '0',
        '--workers',
        '1',
        '--max-requests',
        '20',
        '--health-paths',
        '/health*',
        app,
      ]);
      const [worker] = await workersOf(evy);
      const client = await connect({ port: evy.port });
      const ask = (path: string) => client.request(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      for (let count = 0; count < 30; count += 1) await ask('/healthy?a');
      for (let count = 0; count < 19; count += 1) await ask('/');
      await evy.until('master.ready');
      expect((await workersOf(evy))[0]).to.deep.equal(worker);
      await ask('/');
      await evy.until('worker.exit');
      expect(evy.seen('worker.retiring')[0]).to.include({ pid: worker!.pid, reason: 'maxRequests' });
      client.close();
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }
});
