/**
 * pnpm and workspaces link packages: node_modules/a is a link to a folder that has the dependencies of a beside it. They must be found
 * whatever standard error is: a socket here by default, and a pipe as `2>&1 | cat` and container engines make it.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { runEvy, type EvyProcess, type Exit } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf } from './serving.ts';

/** The second package is imported at the first request: warm-up, with an access log open by then. */
const body = `async () => greeting + ' ' + (await import('late')).default`;
const applications = {
  wsgi: `async (env, startResponse) => {
    const text = await answer();
    startResponse('200 OK', []);
    return [text];
  }`,
  fetch: `{ fetch: async () => new Response(await answer()) }`,
  node: `(request, response) => void answer().then((text) => response.end(text))`,
};

const modulePackage = (name: string) => JSON.stringify({ name, type: 'module', exports: './index.js' });

/** Packages `early`, `late` and `settings`, each a link, and each with a dependency that only its real folder has beside it. */
async function linkedFolder(): Promise<string> {
  const folder = await tempFolder();
  const packages = { early: `'hello'`, late: `'world'`, settings: `['GET:/']` };
  for (const [name, value] of Object.entries(packages)) {
    const store = join('node_modules', '.store', name, 'node_modules');
    await writeFiles(folder, {
      [join(store, name, 'package.json')]: modulePackage(name),
      [join(store, name, 'index.js')]: `export { default } from 'dependency-of-${name}';`,
      [join(store, `dependency-of-${name}`, 'package.json')]: modulePackage(`dependency-of-${name}`),
      [join(store, `dependency-of-${name}`, 'index.js')]: `export default ${value};`,
    });
    await symlink(join('.store', name, 'node_modules', name), join(folder, 'node_modules', name));
  }
  await writeFiles(folder, {
    'evy.config.mjs': `import warmup from 'settings'; export default { warmup };`,
    ...Object.fromEntries(
      Object.entries(applications).map(([name, source]) => [
        `${name}.mjs`,
        `import greeting from 'early'; const answer = ${body}; export default ${source};`,
      ]),
    ),
    'program.mjs': `
      import greeting from 'early';
      import { listen, wsgi } from 'evy';
      const answer = ${body};
      const app = ${applications.wsgi};
      await wsgi.server(listen(process.argv[2]), app);`,
  });
  return folder;
}

/** A named pipe that this process holds open, so that writes to it neither fail nor wait. */
function pipe(folder: string): number {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onEnd(() => closeSync(fd));
  return fd;
}

const errorStreams = {
  'a socket': () => ({}),
  'a pipe': (folder: string) => ({ stderr: pipe(folder) }),
};

async function expectGreeting(evy: EvyProcess, path: string, end: Exit): Promise<void> {
  const answer = await waitFor('an answer', () => {
    if (!evy.isRunning) throw new Error(`it ended: ${evy.output()}`);
    return answerOf({ path }).catch(() => undefined);
  });
  expect(answer).to.equal('hello world');
  expect(await evy.stop()).to.deep.equal(end);
}

for (const [kind, streamOf] of Object.entries(errorStreams)) {
  describe(`packages that are symbolic links, with ${kind} as standard error`, () => {
    for (const name of Object.keys(applications)) {
      it(`are found by a ${name} application, at its start and later, and by the configuration file`, async () => {
        const folder = await linkedFolder();
        const path = join(folder, 'socket');
        const args = ['--interface', name, '--workers', '1', '--bind', `unix:${path}`, '--access-log', '-'];
        const evy = runEvy([...args, `${name}.mjs`], { cwd: folder, ...streamOf(folder) });
        await expectGreeting(evy, path, { code: 0, signal: null });
      });
    }

    it('are found by a program that serves by itself', async () => {
      const folder = await linkedFolder();
      const path = join(folder, 'socket');
      await symlink(process.cwd(), join(folder, 'node_modules', 'evy'));
      const program = join(folder, 'program.mjs');
      const evy = runEvy([path], { program, cwd: folder, ...streamOf(folder) });
      await expectGreeting(evy, path, { code: null, signal: 'SIGTERM' });
    });

    it('are found by --check-config', async () => {
      const folder = await linkedFolder();
      const evy = runEvy(['--check-config', 'wsgi.mjs'], { cwd: folder, ...streamOf(folder) });
      expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
      expect(evy.output('stdout')).to.equal('the configuration is valid\n');
    });
  });
}
