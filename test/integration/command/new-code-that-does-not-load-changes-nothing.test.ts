import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { RunningLoad } from '../../helpers/load-client.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { answering, answerOf, crewOf, expectNoLoss, light, moreAnswers, reload, serve, underLoad } from './serving.ts';

interface Broken {
  name: string;
  release: string;
  /** of the configuration file */
  options?: object;
  code: string;
  message: RegExp;
  stack?: RegExp;
}
const broken: Broken[] = [
  {
    name: 'has a syntax error',
    release: 'export default (env, start => {',
    code: 'APP_LOAD_FAILED',
    message: /app\.mjs failed to load: .*Unexpected/,
    stack: /app\.mjs:1/,
  },
  {
    name: 'throws while it is loaded',
    release: "\nthrow new RangeError('not today');",
    code: 'APP_LOAD_FAILED',
    message: /app\.mjs failed to load: not today/,
    stack: /^RangeError: not today\n\s+at .*app\.mjs:2:7/,
  },
  {
    name: 'imports what is not there',
    release: "import './missing.mjs';",
    code: 'APP_LOAD_FAILED',
    message: /app\.mjs failed to load: .*missing\.mjs/,
  },
  {
    name: 'has lost its export',
    release: 'export const handler = () => [];',
    code: 'APP_NOT_FOUND',
    message: /app\.mjs has none of the exports default, application, app; it exports handler/,
  },
  {
    name: 'exports no function any more',
    release: 'export default 7;',
    code: 'APP_NOT_CALLABLE',
    message: /app\.mjs:default is a number/,
  },
  {
    name: 'ends its process',
    release: 'process.exit(9);',
    code: 'WORKERS_CANNOT_BOOT',
    message: /exit code 9/,
  },
  {
    name: 'is never ready',
    release: 'await new Promise(() => {});',
    options: { bootTimeout: '500ms' },
    code: 'BOOT_TIMEOUT',
    message: /not ready within 500ms \(option bootTimeout\)/,
  },
  {
    name: 'is not there any more',
    release: '',
    options: { app: 'gone.mjs' },
    code: 'APP_NOT_FOUND',
    message: /application .*gone\.mjs: this module does not exist/,
  },
];

describe('a reload under load', () => {
  let folder = '';
  let evy: EvyProcess;
  let load: RunningLoad;
  const options = { app: 'app.mjs', port: 0, workers: 2 };
  const release = (source: string, changed: object = {}) =>
    writeFiles(folder, {
      'app.mjs': source,
      'evy.config.json': JSON.stringify({ ...options, ...changed }),
    });

  it('changes nothing when the new code does not load, names the reason, and works with a good release', async function () {
    folder = await tempFolder();
    await release(answering('one'));
    evy = await serve([], { cwd: folder });
    load = await underLoad(evy, light);
    const before = await crewOf(evy, [1, 1]);
    for (const { name, release: source, options: changed, code, message, stack } of broken) {
      const times = evy.seen('reload.failed').length + 1;
      await release(source, changed);
      evy.signal('SIGHUP');
      const failed = await evy.until('reload.failed', { times });
      expect(failed, name).to.include({ level: 'error', generation: times + 1, code });
      expect(failed.message, name).to.match(message);
      if (stack) expect(failed.stack, name).to.match(stack);
      await moreAnswers(load);
      // The canary is gone, the old ones are the same processes.
      expect(await crewOf(evy, [1, 1]), name).to.deep.equal(before);
      expect(await answerOf({ port: evy.port }), name).to.equal('one');
    }
    expect(Object.keys((await load.snapshot()).seen).map(Number)).to.have.members(before.map(({ pid }) => pid));
    await release(answering('two'));
    expect(await reload(evy)).to.include({ generation: broken.length + 2, replaced: 2 });
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    expect(await answerOf({ port: evy.port })).to.equal('two');
    // The reload is done when the old workers have nothing left; their processes may end a moment later.
    await crewOf(evy, [broken.length + 2, broken.length + 2]);
    for (const { pid } of before) await evy.until('worker.exit', { where: (exit) => exit.pid === pid });
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});

describe('a reload whose second worker does not start', () => {
  it('fails, and the place that an old worker gave up is filled by the old generation again', async () => {
    // The first worker of the new release boots, any later one does not.
    const once = `
      import { openSync } from 'node:fs';
      openSync(new URL('started', import.meta.url), 'wx');
      ${answering('two')}`;
    const cwd = await tempFolder({
      'one.mjs': answering('one'),
      'evy.config.json': '{ "app": "one.mjs", "port": 0, "workers": 2 }',
    });
    const evy = await serve([], { cwd });
    const load = await underLoad(evy, light);
    await writeFiles(cwd, { 'two.mjs': once, 'evy.config.json': '{ "app": "two.mjs", "port": 0, "workers": 2 }' });
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ generation: 2, code: 'APP_LOAD_FAILED' });
    expect(failed.message).to.match(/two\.mjs failed to load: EEXIST/);
    await crewOf(evy, [1, 1]);
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    expect(await answerOf({ port: evy.port })).to.equal('one');
    await writeFiles(cwd, { 'two.mjs': answering('two') });
    expect(await reload(evy)).to.include({ generation: 3, replaced: 2 });
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
