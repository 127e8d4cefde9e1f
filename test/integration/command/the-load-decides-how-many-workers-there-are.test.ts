import { expect } from 'chai';
import { application, beIdle, crewOf, expectUnnoticed, serve, underLoad } from './serving.ts';

describe('the load', () => {
  it('starts workers when they are busy and retires them later on, and no client notices', async function () {
    const range = ['--port', '0', '--workers', '1..3', '--scale-down-after', '1s'];
    const evy = await serve([...range, application('burns-time')]);
    await crewOf(evy, [1]);
    const idle = await beIdle({ port: evy.port });
    const load = await underLoad(evy, { keepAlive: 6, reconnecting: 1, paceMs: 0, path: '/?20' });
    const up = await evy.until('scale', { where: ({ workers }) => workers === 3 });
    expect(up.utilisation).to.be.within(0.75, 1);
    await crewOf(evy, [1, 1, 1]);
    expectUnnoticed(await load.stop());
    await evy.until('scale.done', { where: ({ to }) => to === 1 });
    await crewOf(evy, [1]);
    expect((await idle.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).status).to.equal(200);
    idle.close();
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
