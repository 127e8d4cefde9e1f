import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answering, answerOf, crewOf, hasEnded, serve } from './serving.ts';

/** Blocks its event loop while there is a file `busy`: at a request for /busy, or while it is loaded. */
const blocking = (when: 'asked' | 'loaded') => `
import { existsSync, writeFileSync } from 'node:fs';
function block() {
  writeFileSync('begun', '');
  while (existsSync('busy'));
}
${when === 'loaded' ? 'block();' : ''}
export default (env, startResponse) => {
  if (env.PATH_INFO === '/busy') block();
  startResponse('200 OK', []);
  return ['old'];
};
`;

describe('a new master, after kill -9 of one', () => {
  for (const how of ['with a worker in a long computation', 'with a worker that is being loaded'] as const) {
    it(`${how}: waits until that lets go of the address`, async function () {
      const isLoading = how === 'with a worker that is being loaded';
      const cwd = await tempFolder({ 'app.mjs': isLoading ? answering('old') : blocking('asked') });
      const args = ['--workers', '1', 'app.mjs'];
      const first = await serve(['--port', '0', ...args], { cwd });
      const { port } = first;
      await crewOf(first, [1]);
      await writeFiles(cwd, { busy: '' });
      if (isLoading) {
        await writeFiles(cwd, { 'app.mjs': blocking('loaded') });
        first.signal('SIGHUP');
      } else (await connect({ port })).send('GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await waitFor('a busy worker', () => existsSync(join(cwd, 'begun')));
      first.signal('SIGKILL');
      await writeFiles(cwd, { 'app.mjs': answering('new') });
      const second = runEvy(['--port', String(port), ...args], { cwd });
      const { workers } = await second.until('master.waiting');
      const [pid, ...others] = workers as number[];
      expect(others).to.deep.equal([]);
      expect(await hasEnded(pid!)).to.equal(false);
      rmSync(join(cwd, 'busy'));
      await second.until('master.ready');
      expect(await answerOf({ port })).to.equal('new');
      await waitFor('the end of the old one', () => hasEnded(pid!));
      expect(await second.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('does not wait for anybody else', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onEnd(() => server.close());
    await once(server, 'listening');
    const cwd = await tempFolder({ 'app.mjs': answering('new') });
    const evy = runEvy(['--port', String((server.address() as AddressInfo).port), 'app.mjs'], { cwd });
    expect(await evy.exit).to.include({ code: 3 });
    expect(evy.seen('master.waiting')).to.deep.equal([]);
  });
});
