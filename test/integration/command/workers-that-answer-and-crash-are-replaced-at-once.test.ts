import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { answerOf, application, ask, crewOf, serve } from './serving.ts';

const crashes = 12;

describe('a worker that has answered and then crashes', () => {
  it('is replaced at once, however often that happens, and nobody is refused', async function () {
    this.timeout(60_000);
    const evy = await serve(['--port', '0', '--workers', '1', application('dies-of-a-path')]);
    for (let crash = 1; crash <= crashes; crash += 1) {
      // It waits in the backlog while nobody serves.
      expect(await answerOf({ port: evy.port })).to.equal('fine');
      const how = crash % 2 === 0 ? '/crash/exit/' : '/crash/';
      await ask({ port: evy.port }, how).catch(() => {});
      await evy.until('worker.exit', { times: crash });
    }
    expect(await answerOf({ port: evy.port })).to.equal('fine');
    await crewOf(evy, [1]);
    expect(evy.seen('worker.delayed')).to.deep.equal([]);
    expect(evy.seen('worker.ready')).to.have.length(crashes + 1);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('but not for a warm-up request: a worker that dies before any client came is replaced with growing delays', async () => {
    const folder = await tempFolder({
      'app.mjs': `
        setTimeout(() => process.exit(7), 200);
        export default (env, startResponse) => { startResponse('200 OK', []); return ['warm']; };`,
    });
    const evy = await serve(['--port', '0', '--workers', '1', '--warmup', 'GET:/', join(folder, 'app.mjs')]);
    await evy.until('worker.delayed', { times: 3 });
    const delays = evy.seen('worker.delayed').map(({ delayMs }) => delayMs as number);
    expect(delays[2]).to.be.greaterThan(delays[0]! * 2);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
