import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { header, text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import {
  answerOf,
  ask,
  beginSlow,
  crewOf,
  echo,
  expectUnnoticed,
  light,
  moreAnswers,
  onTwo,
  serve,
  slow,
  underLoad,
  type Worker,
} from './serving.ts';

describe('a signal that hits a worker', () => {
  let evy: EvyProcess;
  let gate = '';
  let folder = '';
  beforeEach(async () => {
    folder = await tempFolder();
    gate = join(folder, 'gate');
    evy = await serve([...onTwo, slow]);
  });
  afterEach(async () => {
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
  const exitOf = (wanted: number) => evy.until('worker.exit', { where: ({ pid }) => pid === wanted });

  it('INT and HUP: nothing happens', async () => {
    const before = await crewOf(evy, [1, 1]);
    const busy = await beginSlow({ port: evy.port }, gate);
    for (const { pid } of before) {
      process.kill(pid, 'SIGINT');
      process.kill(pid, 'SIGHUP');
    }
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    // The same connection: the worker that was hit answers again.
    await busy.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    busy.close();
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(evy.seen('worker.exit')).to.deep.equal([]);
  });

  it('TERM: it finishes its requests and is replaced, and under load nothing is lost', async () => {
    const load = await underLoad(evy, light);
    const before = await crewOf(evy, [1, 1]);
    const busy = await beginSlow({ port: evy.port }, gate);
    const hit = Number(/X-Pid: (\d+)/.exec(busy.received)?.[1]);
    process.kill(hit, 'SIGTERM');
    expect(await evy.until('worker.retiring')).to.include({ pid: hit, reason: 'SIGTERM' });
    await evy.until('worker.ready', { times: 3 });
    await moreAnswers(load);
    expect((await crewOf(evy, [1, 1, 1])).map(({ pid }) => pid)).to.include.members(before.map(({ pid }) => pid));
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    busy.close();
    expect(await exitOf(hit)).to.include({ level: 'info', code: 0 });
    expect((await crewOf(evy, [1, 1])).map(({ pid }) => pid)).to.not.include(hit);
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
  });

  it('TERM to the only one: its clients, busy or not, are served until its replacement has them', async () => {
    const alone = await serve(['--port', '0', '--workers', '1', echo]);
    const load = await underLoad(alone, light);
    const [{ pid }] = (await crewOf(alone, [1])) as [Worker];
    process.kill(pid, 'SIGTERM');
    await alone.until('worker.exit', { where: (line) => line.pid === pid });
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
  });

  it('QUIT: it ends at once and is replaced', async () => {
    const busy = await beginSlow({ port: evy.port }, gate);
    const hit = Number(/X-Pid: (\d+)/.exec(busy.received)?.[1]);
    process.kill(hit, 'SIGQUIT');
    await exitOf(hit);
    await busy.closed();
    expect(busy.reader.responses).to.deep.equal([]);
    await evy.until('worker.ready', { times: 3 });
    expect((await crewOf(evy, [1, 1])).map(({ pid }) => pid)).to.not.include(hit);
    expect(await answerOf({ port: evy.port })).to.equal('at once');
    expect(header(await ask({ port: evy.port }), 'X-Pid')).to.not.equal(String(hit));
  });
});
