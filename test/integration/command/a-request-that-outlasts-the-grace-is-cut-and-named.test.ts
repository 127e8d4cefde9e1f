import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, application, ask, beginSlow, crewOf, hasEnded, reload, serve, slow } from './serving.ts';

const short = ['--port', '0', '--workers', '1', '--grace', '300ms'];

describe('a request that outlasts the grace time', () => {
  it('is cut by a stop and named in the log, and everything ends', async () => {
    const gate = join(await tempFolder(), 'gate');
    const evy = await serve([...short, slow]);
    const [worker] = await crewOf(evy, [1]);
    const busy = await beginSlow({ port: evy.port }, gate);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    await busy.closed();
    expect(busy.reader.responses).to.deep.equal([]);
    const [cut, ...others] = evy.seen('request.cut');
    expect(others).to.deep.equal([]);
    expect(cut).to.include({ pid: worker!.pid, method: 'GET', target: `/?${gate}` });
    expect(cut!.peer).to.equal('127.0.0.1');
    expect(cut!.ageMs).to.be.at.least(250);
    expect(evy.seen('worker.killed')).to.have.length(1);
    expect(await hasEnded(worker!.pid)).to.equal(true);
  });

  it('is cut by a reload and named in the log, and the new generation serves', async () => {
    const gate = join(await tempFolder(), 'gate');
    const evy = await serve([...short, slow]);
    const [worker] = await crewOf(evy, [1]);
    const busy = await beginSlow({ port: evy.port }, gate);
    await reload(evy);
    expect(await evy.until('request.cut')).to.include({ pid: worker!.pid, target: `/?${gate}`, generation: 1 });
    await busy.closed();
    await evy.until('worker.exit', { where: ({ pid }) => pid === worker!.pid });
    await crewOf(evy, [2]);
    expect(await answerOf({ port: evy.port })).to.equal('at once');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('does not save a post hook either', async () => {
    const gate = join(await tempFolder(), 'gate');
    const evy = await serve([...short, application('hook-waits-for-a-file')]);
    await ask({ port: evy.port }, `/?${gate}`);
    await waitFor('the hook', () => evy.output().includes('hook begun'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(evy.seen('worker.killed')).to.have.length(1);
  });
});
