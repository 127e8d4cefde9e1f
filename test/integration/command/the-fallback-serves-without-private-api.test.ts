import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { text } from '../../helpers/response-reader.ts';
import {
  answerOf,
  beginSlow,
  crewOf,
  expectNoLoss,
  light,
  moreAnswers,
  reload,
  serve,
  slow,
  underLoad,
} from './serving.ts';

describe('without private API of Node', () => {
  it('says so once, serves TCP, TLS and a unix socket, and a reload under load loses nothing', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'evy.sock');
    const binds = ['127.0.0.1:0', 'tls:127.0.0.1:0', `unix:${path}`].flatMap((bind) => ['--bind', bind]);
    const tls = ['--certfile', certfile, '--keyfile', keyfile];
    const evy = await serve([...binds, ...tls, '--workers', '2', slow], { env: { EVY_PRIVATE_API: 'off' } });
    expect(evy.seen('master.fallback')).to.have.length(1);
    const targets = [{ port: evy.port }, { port: evy.addresses[1]!.port!, tls: trusted }, { path }];
    for (const target of targets) expect(await answerOf(target)).to.equal('at once');
    const load = await underLoad(evy, light);
    await reload(evy);
    await reload(evy);
    await crewOf(evy, [3, 3]);
    for (const target of targets) expect(await answerOf(target)).to.equal('at once');
    await moreAnswers(load);
    const result = await load.stop();
    expectNoLoss(result);
    expect(result.announcedClose).to.be.greaterThan(0); // nothing moves here
    expect(Object.keys(result.seen)).to.have.length(6);
    const busy = await beginSlow({ path }, join(folder, 'gate'));
    evy.signal('SIGTERM');
    await evy.until('master.stopping');
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    busy.close();
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(false);
  });

  it('replaces workers that are killed, and refuses nobody meanwhile', async () => {
    const evy = await serve(['--port', '0', '--workers', '2', slow], { env: { EVY_PRIVATE_API: 'off' } });
    const before = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, light);
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    await evy.until('worker.ready', { times: 4 });
    // The master may hand a connection to a dead worker before it knows, so more than those that were open may be harmed;
    // but once both are back, nothing goes wrong any more.
    const back = await moreAnswers(load);
    await moreAnswers(load, 300);
    const result = await load.stop();
    expect(result).to.include({ refused: 0, unanswered: 0, wrong: 0, non200: 0 });
    expect(result).to.include({ failed: back.failed, closedIdle: back.closedIdle });
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
