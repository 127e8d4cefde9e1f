import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { projectRoot, tempFolder, writeFiles } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, crewOf, serve } from './serving.ts';

const library = join(projectRoot, 'dist', 'index.js');
/** Each is ready once the file `go` exists. */
const sources = {
  'app.mjs': `
    import { existsSync } from 'node:fs';
    import { ready } from ${JSON.stringify(pathToFileURL(library).href)};
    const go = () => (existsSync(new URL('go', import.meta.url)) ? ready() : setTimeout(go, 10));
    go();
    export default (env, startResponse) => (startResponse('200 OK', []), ['a module']);`,
  'app.cjs': `
    const { existsSync } = require('node:fs');
    const { join } = require('node:path');
    import(${JSON.stringify(pathToFileURL(library).href)}).then(({ ready }) => {
      const go = () => (existsSync(join(__dirname, 'go')) ? ready() : setTimeout(go, 10));
      go();
    });
    module.exports = (env, startResponse) => (startResponse('200 OK', []), ['CommonJS']);`,
};

describe('an application with --ready signal', () => {
  for (const [name, source] of Object.entries(sources)) {
    it(`is served once it has called ready(): ${name}`, async () => {
      const cwd = await tempFolder({ [name]: source, go: '' });
      const evy = await serve([name, '--port', '0', '-w', '1', '--ready', 'signal'], { cwd });
      expect(await answerOf({ port: evy.port })).to.be.oneOf(['a module', 'CommonJS']);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('keeps a reload waiting until then', async () => {
    const folder = await tempFolder({ '1/app.mjs': sources['app.mjs'], '1/go': '', '2/app.mjs': sources['app.mjs'] });
    const config = (release: number) =>
      JSON.stringify({ app: `${release}/app.mjs`, port: 0, workers: 1, ready: 'signal' });
    await writeFiles(folder, { 'evy.config.json': config(1) });
    const evy = await serve([], { cwd: folder });
    await writeFiles(folder, { 'evy.config.json': config(2) });
    evy.signal('SIGHUP');
    await crewOf(evy, [1, 2]);
    await writeFiles(folder, { '2/go': '' });
    expect(await evy.until('reload.done')).to.include({ generation: 2 });
    await waitFor('the new one alone', async () => (await crewOf(evy, [2])).length === 1);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('is not served when it never does, and the error says what was waited for', async () => {
    const cwd = await tempFolder({ 'app.mjs': sources['app.mjs'], 'go': '' });
    const evy = await serve(['app.mjs', '--port', '0', '-w', '1', '--ready', 'signal', '--boot-timeout', '6s'], {
      cwd,
    });
    await writeFiles(cwd, { 'app.mjs': 'export default () => [];' });
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ code: 'BOOT_TIMEOUT' });
    expect(failed.message).to.match(/it was at: waiting for the application's ready\(\)$/);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('may call it without the option, to no effect', async () => {
    const cwd = await tempFolder({ 'app.mjs': sources['app.mjs'], 'go': '' });
    const evy = await serve(['app.mjs', '--port', '0', '-w', '1'], { cwd });
    expect(await answerOf({ port: evy.port })).to.equal('a module');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
