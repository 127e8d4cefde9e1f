import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, ask, beginSlow, beIdle, hasEnded, onTwo, refusalOf, serve, slow, workersOf } from './serving.ts';

describe('a graceful stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`by ${signal} finishes requests, closes idle connections in order, refuses new ones, and ends with 0`, async () => {
      const folder = await tempFolder();
      const evy = await serve([...onTwo, slow]);
      const { port } = evy;
      const workers = await workersOf(evy);
      const busy = await beginSlow({ port }, join(folder, 'gate'));
      const idle = await Promise.all([1, 2, 3, 4].map(() => beIdle({ port })));
      evy.signal(signal);
      for (const client of idle) {
        expect(await client.closed()).to.equal('fin');
        client.close();
      }
      await waitFor('refused', async () => (await refusalOf({ port })) === 'ECONNREFUSED');
      expect(evy.isRunning).to.equal(true);
      await writeFiles(folder, { gate: '' });
      const response = await busy.response();
      expect([response.status, text(response)]).to.deep.equal([200, 'begun,done']);
      expect(await busy.closed()).to.equal('fin');
      busy.close();
      expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
      for (const { pid } of workers) expect(await hasEnded(pid)).to.equal(true);
      expect(evy.seen('request.cut')).to.deep.equal([]);
      expect(evy.seen('worker.exit').map(({ code }) => code)).to.deep.equal([0, 0]);
    });
  }

  it('waits for post hooks that are promises', async () => {
    const folder = await tempFolder();
    const gate = join(folder, 'gate');
    const evy = await serve([...onTwo, application('hook-waits-for-a-file')]);
    expect(text(await ask({ port: evy.port }, `/?${gate}`))).to.equal('answered');
    await waitFor('the hook', () => evy.output().includes('hook begun'));
    evy.signal('SIGTERM');
    // The worker without a hook is done; the one with it is not.
    await evy.until('worker.exit');
    expect(evy.isRunning).to.equal(true);
    await writeFiles(folder, { gate: '' });
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(`${gate}.hooked`)).to.equal(true);
    expect(evy.seen('worker.killed')).to.deep.equal([]);
  });

  it('during a reload ends the reload, and everything', async () => {
    const folder = await tempFolder({
      'app.mjs': 'export default (env, start) => { start("200 OK", []); return []; };',
    });
    const evy = await serve([...onTwo, '--log-level', 'debug', 'app.mjs'], { cwd: folder });
    await writeFiles(folder, { 'app.mjs': 'await new Promise(() => {});' });
    evy.signal('SIGHUP');
    await evy.until('worker.spawned', { where: ({ generation }) => generation === 2 });
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(evy.seen('reload.failed').map(({ code }) => code)).to.deep.equal(['RELOAD_SUPERSEDED']);
  });

  it('before the first worker is ready ends everything with 0', async () => {
    const folder = await tempFolder({ 'app.mjs': "console.log('loading'); await new Promise(() => {});" });
    const evy = runEvy([...onTwo, 'app.mjs'], { cwd: folder });
    await waitFor('loading', () => evy.output('stdout').includes('loading'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(evy.output()).to.not.match(/\n\s+at /);
  });
});
