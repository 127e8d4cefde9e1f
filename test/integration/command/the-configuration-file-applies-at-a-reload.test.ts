import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { answering, answerOf, crewOf, reload, serve } from './serving.ts';

const showsEnviron = `
export default (env, startResponse) => {
  startResponse('200 OK', []);
  return [String(env['site.name'])];
};`;

const config = (options: object) => ({ 'evy.config.mjs': `export default ${JSON.stringify(options)};` });

describe('the configuration file', () => {
  it('is found by itself; HUP applies what a reload can change and names what it cannot', async () => {
    const options = { app: 'app.mjs', port: 0, workers: 1, environ: { 'site.name': 'one' } };
    const cwd = await tempFolder({ 'app.mjs': showsEnviron, ...config(options) });
    const evy = await serve([], { cwd });
    expect(await answerOf({ port: evy.port })).to.equal('one');
    await crewOf(evy, [1]);

    const more = { ...options, workers: 3, environ: { 'site.name': 'two' }, backlog: 64, logLevel: 'debug' };
    await writeFiles(cwd, config(more));
    await reload(evy);
    await crewOf(evy, [2, 2, 2]);
    expect(await answerOf({ port: evy.port })).to.equal('two');
    expect(evy.seen('option.ignored').map(({ option }) => option)).to.have.members(['backlog', 'logLevel']);

    await writeFiles(cwd, config({ ...options, environ: { 'site.name': 'three' } }));
    await reload(evy);
    await crewOf(evy, [3]);
    expect(await answerOf({ port: evy.port })).to.equal('three');

    await writeFiles(cwd, config({ ...options, wrokers: 2 }));
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ code: 'BAD_CONFIG', generation: 4 });
    expect(failed.message).to.include('wrokers').and.to.include('evy.config.mjs');
    await crewOf(evy, [3]);
    expect(await answerOf({ port: evy.port })).to.equal('three');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('names an application by a link: a reload follows it, a replaced worker stays with the release it had', async () => {
    const cwd = await tempFolder({ 'one/app.mjs': answering('one'), 'two/app.mjs': answering('two') });
    await symlink('one', join(cwd, 'current'));
    const evy = await serve(['--port', '0', '--workers', '1', 'current/app.mjs'], { cwd });
    await rm(join(cwd, 'current'));
    await symlink('two', join(cwd, 'current'));
    const [worker] = await crewOf(evy, [1]);
    process.kill(worker!.pid, 'SIGKILL');
    await evy.until('worker.ready', { times: 2 });
    expect(await answerOf({ port: evy.port })).to.equal('one');
    await reload(evy);
    await crewOf(evy, [2]);
    expect(await answerOf({ port: evy.port })).to.equal('two');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});

describe('without serving', () => {
  const run = async (args: readonly string[], cwd: string) => {
    const evy = runEvy(args, { cwd, logStyle: false, env: { WEB_CONCURRENCY: '5' } });
    const { code } = await evy.exit;
    return { code, stdout: evy.output('stdout'), stderr: evy.output('stderr') };
  };

  it('--print-config shows each value and where it came from', async () => {
    const cwd = await tempFolder({ 'app.mjs': showsEnviron, ...config({ app: 'app.mjs', port: 1234, grace: '7s' }) });
    const { code, stdout, stderr } = await run(['--print-config', '--port', '4321'], cwd);
    expect([code, stderr]).to.deep.equal([0, '']);
    for (const line of [
      /^app +\S*app\.mjs +\S*evy\.config\.mjs$/m,
      /^port +4321 +--port$/m,
      /^grace +7s +\S*evy\.config\.mjs$/m,
      /^workers +5 +WEB_CONCURRENCY$/m,
      /^backlog +2048 +default$/m,
    ])
      expect(stdout).to.match(line);
  });

  it('--check-config says that it is fine, or what is not', async () => {
    const cwd = await tempFolder({ 'app.mjs': showsEnviron, ...config({ app: 'app.mjs' }) });
    expect(await run(['--check-config'], cwd)).to.deep.equal({
      code: 0,
      stdout: 'the configuration is valid\n',
      stderr: '',
    });
    await writeFiles(cwd, config({ app: 'gone.mjs' }));
    const gone = await run(['--check-config'], cwd);
    expect(gone).to.include({ code: 4, stdout: '' });
    expect(gone.stderr).to.match(/^evy: application .*gone\.mjs: this module does not exist .*\n$/);
    await writeFiles(cwd, config({ app: 'app.mjs', grace: [] }));
    expect(await run(['--check-config'], cwd)).to.include({ code: 2, stdout: '' });
  });
});
