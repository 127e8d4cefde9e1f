import { expect } from 'chai';
import { fixture } from '../../helpers/files.ts';
import {
  beIdle,
  crewOf,
  echo,
  expectUnnoticed,
  light,
  moreAnswers,
  onTwo,
  reload,
  serve,
  underLoad,
} from './serving.ts';

describe('a wall clock that jumps by days, to and fro', () => {
  it('closes no connection, cuts no wait short, and shows in no duration', async function () {
    const nodeArgs = ['--import', fixture('preloads', 'clock-jumps.mjs')];
    const evy = await serve([...onTwo, '--keepalive', '60s', '--grace', '20s', echo], { nodeArgs });
    const idle = await beIdle({ port: evy.port });
    const load = await underLoad(evy, light);
    for (let times = 0; times < 3; times += 1) {
      const { durationMs } = await reload(evy);
      expect(durationMs).to.be.within(1, 30_000);
      await moreAnswers(load, 200);
    }
    await crewOf(evy, [4, 4]);
    expectUnnoticed(await load.stop());
    // It has waited since before the first jump.
    expect((await idle.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).status).to.equal(200);
    idle.close();
    for (const { bootMs } of evy.seen('worker.ready')) expect(bootMs).to.be.within(1, 30_000);
    expect(evy.seen('worker.killed')).to.deep.equal([]);
    const { durationMs } = (evy.signal('SIGTERM'), await evy.until('master.stopped'));
    expect(durationMs).to.be.within(0, 20_000);
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
  });
});
