import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { readText, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, ask, echo, serve, workersOf } from './serving.ts';

/** Answers, and dies as the path says once the answer has left. */
const dying = `
export default (env, startResponse) => {
  env['evy.posthooks'].push([() => {
    if (env.PATH_INFO === '/throw') setImmediate(() => { throw new Error('on purpose'); });
    if (env.PATH_INFO === '/exit-now') process.exit(3);
    if (env.PATH_INFO === '/exit') setImmediate(() => process.exit(3));
  }]);
  startResponse('200 OK', []);
  return ['answered'];
};`;

const one = ['--port', '0', '--workers', '1', '--log-format', '%(target)s %(status_code)s %(generation)s'];

describe('the access log is whole', () => {
  it('when the server is stopped right after an answer', async () => {
    const log = join(await tempFolder(), 'access.log');
    const evy = await serve([echo, ...one, '--access-log', log]);
    await Promise.all(Array.from({ length: 50 }, (_, index) => ask(evy, `/${index}`)));
    await evy.stop();
    const lines = (await readText(log)).split('\n').slice(0, -1);
    expect(new Set(lines)).to.deep.equal(new Set(Array.from({ length: 50 }, (_, index) => `/${index} 200 1`)));
  });

  it('on standard output, too', async () => {
    const evy = await serve([echo, ...one, '--access-log', '-']);
    await Promise.all(Array.from({ length: 50 }, (_, index) => ask(evy, `/${index}`)));
    await evy.stop();
    expect(evy.output('stdout').split('\n').slice(0, -1)).to.have.length(50);
  });

  it('at a socket', async () => {
    const path = join(await tempFolder(), 's');
    let received = '';
    const collector = createServer((socket) => socket.on('data', (bytes) => (received += bytes.toString())));
    collector.listen(path);
    await once(collector, 'listening');
    onEnd(() => collector.close());
    const evy = await serve([echo, ...one, '--access-log', `unix:${path}`]);
    await Promise.all(Array.from({ length: 50 }, (_, index) => ask(evy, `/${index}`)));
    await evy.stop();
    await waitFor('the lines', () => received.split('\n').length === 51);
  });

  for (const how of ['throw', 'exit', 'exit-now']) {
    it(`when the application ends its worker (${how})`, async () => {
      const folder = await tempFolder({ 'app.mjs': dying });
      const log = join(folder, 'access.log');
      const evy = await serve(['app.mjs', ...one, '--access-log', log], { cwd: folder });
      const [worker] = await workersOf(evy);
      await ask(evy, `/${how}`);
      await evy.until('worker.exit', { where: ({ pid }) => pid === worker!.pid });
      expect(await readText(log)).to.equal(`/${how} 200 1\n`);
      await evy.stop();
    });
  }

  it('or the server goes on without it, on a full disk', async () => {
    const evy = await serve([application('echoes-load-id'), ...one, '--access-log', '/dev/full']);
    await ask(evy);
    const failed = await evy.until('access-log.failed');
    expect(failed.error).to.include('ENOSPC');
    expect((await ask(evy)).status).to.equal(200);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(evy.seen('access-log.failed')).to.have.length(1);
    expect(evy.seen('access-log.lost')[0]).to.include({ droppedLines: 2 });
  });
});
