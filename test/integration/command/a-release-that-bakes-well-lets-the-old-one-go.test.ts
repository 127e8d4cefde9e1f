import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { certfile, keyfile } from '../../helpers/certificates.ts';
import { announcesClose, text } from '../../helpers/response-reader.ts';
import type { Target } from '../../helpers/raw-client.ts';
import type { EvyProcess, RunOptions } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answering, answerOf, beIdle, crewOf, expectNoLoss, light, moreAnswers, serve, underLoad } from './serving.ts';

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function bakes(args: readonly string[], target: (evy: EvyProcess) => Target, options: RunOptions = {}) {
  const cwd = await tempFolder({ 'app.mjs': answering('one') });
  const evy = await serve(['app.mjs', '-w', '2', '--bake', '3s', '--grace', '1s', ...args], { cwd, ...options });
  const client = await beIdle(target(evy));
  await writeFiles(cwd, { 'app.mjs': answering('two') });
  evy.signal('SIGHUP');
  await evy.until('reload.live');
  expect(evy.seen('reload.done')).to.deep.equal([]);
  // New clients get to the new release, and whoever has a connection keeps it.
  await waitFor('the new ones alone', async () => (await answerOf(target(evy))) === 'two');
  const answer = await client.request(request);
  expect(text(answer)).to.equal('one');
  expect(announcesClose(answer)).to.equal(false);
  const done = await evy.until('reload.done');
  expect(done).to.include({ generation: 2, replaced: 2, cut: 0 });
  // It stayed idle: where it could not move it was closed when the grace time ended.
  expect((done.moved as number) + (done.closed as number)).to.equal(1);
  await crewOf(evy, [2, 2]);
  expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
}

describe('a release that bakes well', () => {
  it('serves alone while the old one stands by, which goes after the time', () =>
    bakes(['--port', '0'], ({ port }) => ({ port })));

  it('does so with TLS', () =>
    bakes(['-b', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile], ({ port }) => ({
      port,
      tls: { rejectUnauthorized: false },
    })));

  it('does so where the master accepts', () =>
    bakes(['--port', '0'], ({ port }) => ({ port }), { env: { EVY_PRIVATE_API: 'off' } }));

  it('loses nothing under load', async function () {
    const cwd = await tempFolder({ 'app.mjs': answering('one') });
    const evy = await serve(['app.mjs', '--port', '0', '-w', '2', '--bake', '1s'], { cwd });
    const load = await underLoad(evy, light);
    for (let times = 1; times <= 3; times += 1) {
      evy.signal('SIGHUP');
      await evy.until('reload.done', { times });
    }
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    await crewOf(evy, [4, 4]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
