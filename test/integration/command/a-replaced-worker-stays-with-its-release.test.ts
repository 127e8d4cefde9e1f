import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { answerOf, crewOf, reload, serve } from './serving.ts';

/** Tells all that a worker has from its release. */
const tells = (own: string) => `
import { readFileSync } from 'node:fs';
const first = readFileSync('here.txt', 'utf8');
export default (env, startResponse) => {
  startResponse('200 OK', []);
  const { COLOUR, PWD, GIVEN } = process.env;
  const now = readFileSync('here.txt', 'utf8');
  return [JSON.stringify(['${own}', first, now, COLOUR, GIVEN, env['site.name'], PWD === process.cwd(), env.layered])];
};`;
const release = (own: string) => ({
  [`${own}/app.mjs`]: tells(own),
  [`${own}/layer.mjs`]: `export default (app) => (env, startResponse) => app({ ...env, layered: '${own}' }, startResponse);`,
  [`${own}/here.txt`]: own,
  [`${own}/.env`]: `COLOUR=${own}\nGIVEN=by the file\n`,
  [`${own}/evy.config.mjs`]: `export default ${JSON.stringify({
    app: 'app.mjs',
    middleware: 'layer.mjs',
    envFile: '.env',
    port: 0,
    workers: own === 'three' ? 1 : 2,
    environ: { 'site.name': own },
  })};`,
});
/** A middleware that loads in one worker only. */
const bootsOnce = `
import { openSync } from 'node:fs';
openSync(new URL('started', import.meta.url), 'wx');
export default (app) => app;`;
const told = (own: string) => JSON.stringify([own, own, own, own, 'by hand', own, true, own]);

async function point(folder: string, own: string): Promise<void> {
  await symlink(own, join(folder, 'next'));
  await rename(join(folder, 'next'), join(folder, 'current'));
}

async function killAll(evy: EvyProcess, generations: readonly number[]): Promise<void> {
  const times = evy.seen('worker.ready').length + generations.length;
  for (const { pid } of await crewOf(evy, generations)) process.kill(pid, 'SIGKILL');
  await evy.until('worker.ready', { times });
}

describe('a link to the current release', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await tempFolder({ ...release('one'), ...release('two'), ...release('three') });
    await point(folder, 'one');
  });

  const start = () => {
    const current = join(folder, 'current');
    return serve([], { cwd: current, env: { PWD: current, GIVEN: 'by hand' } });
  };

  it('is followed by a reload and by nothing else: application, directory, variables and configuration', async () => {
    const evy = await start();
    const at = { port: evy.port };
    expect(await answerOf(at)).to.equal(told('one'));
    await point(folder, 'two');
    await killAll(evy, [1, 1]);
    expect(await answerOf(at)).to.equal(told('one'));
    await reload(evy);
    await crewOf(evy, [2, 2]);
    expect(await answerOf(at)).to.equal(told('two'));
    await point(folder, 'three');
    await killAll(evy, [2, 2]);
    expect(await answerOf(at)).to.equal(told('two'));
    // The first release, in which the master was started, is gone by now.
    await rm(join(folder, 'one'), { recursive: true });
    await reload(evy);
    await crewOf(evy, [3]);
    expect(await answerOf(at)).to.equal(told('three'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('is not followed when the new release does not boot: replacements run the old one', async () => {
    const evy = await start();
    await writeFiles(folder, { 'two/layer.mjs': 'export default 7;' });
    await point(folder, 'two');
    evy.signal('SIGHUP');
    expect(await evy.until('reload.failed')).to.include({ code: 'APP_NOT_CALLABLE' });
    await killAll(evy, [1, 1]);
    expect(await answerOf({ port: evy.port })).to.equal(told('one'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('is not followed by who takes the place of an old worker that had left, when the reload is undone', async () => {
    const evy = await start();
    await writeFiles(folder, { 'two/layer.mjs': bootsOnce });
    await point(folder, 'two');
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed.message).to.match(/layer\.mjs failed to load: EEXIST/);
    expect(evy.seen('worker.retiring', ({ generation }) => generation === 1)).to.have.length(1);
    await crewOf(evy, [1, 1]);
    expect(await answerOf({ port: evy.port })).to.equal(told('one'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('leads to a reload that fails when the file with variables is missing', async () => {
    const evy = await start();
    await rm(join(folder, 'two/.env'));
    await point(folder, 'two');
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ code: 'BAD_OPTION' });
    expect(failed.message).to.match(/^option envFile: .*two\/\.env cannot be read \(ENOENT\)$/);
    expect(await answerOf({ port: evy.port })).to.equal(told('one'));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
