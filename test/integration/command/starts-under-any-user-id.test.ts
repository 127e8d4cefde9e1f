import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { projectRoot, tempFolder, writeFiles } from '../../helpers/files.ts';
import { needProgram } from '../../helpers/proxy-program.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { answering, answerOf } from './serving.ts';

/** A user id that no passwd entry describes, as OpenShift and `docker run --user` give: its group is root's, it has no HOME. */
const userId = 1_234_567;

interface Manifest {
  dependencies?: Readonly<Record<string, string>>;
}

const dependenciesOf = (folder: string): string[] =>
  Object.keys((JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest).dependencies ?? {});

/** What `npm install evy` would put into `folder`: the checkout may lie where this user cannot read. */
function installInto(folder: string): void {
  const modules = join(folder, 'node_modules');
  for (const part of ['dist', 'package.json'])
    cpSync(join(projectRoot, part), join(modules, 'evy', part), { recursive: true });
  const copied = new Set<string>();
  const copy = (name: string): void => {
    if (copied.has(name)) return;
    copied.add(name);
    const from = join(projectRoot, 'node_modules', name);
    cpSync(from, join(modules, name), { recursive: true, dereference: true });
    for (const dependency of dependenciesOf(from)) copy(dependency);
  };
  for (const dependency of dependenciesOf(projectRoot)) copy(dependency);
}

/** A Node that this user may run. */
function nodeIn(folder: string, asUser: readonly string[], setpriv: string): string {
  const node = process.env.EVY_TEST_NODE ?? process.execPath;
  // By way of a shell: setpriv itself still has root's capabilities when it looks for the program.
  if (spawnSync(setpriv, [...asUser, 'sh', '-c', '"$0" --version', node]).status === 0) return node;
  const copy = join(folder, 'node');
  copyFileSync(node, copy);
  chmodSync(copy, 0o755);
  return copy;
}

describe('under a user id without a passwd entry, in a folder that it cannot write to', () => {
  const asUser = [`--reuid=${userId}`, '--regid=0', '--clear-groups'];
  const env = { HOME: undefined, USER: undefined, LOGNAME: undefined };
  let setpriv = '';
  let folder = '';
  let node = '';

  before(function (this: Context) {
    setpriv = needProgram(this, 'setpriv');
    if (process.getuid?.() !== 0) {
      console.log('      SKIPPED: only root can change its user id');
      this.skip();
    }
  });

  beforeEach(async () => {
    folder = await tempFolder({ 'app.mjs': answering('served') });
    chmodSync(folder, 0o755);
    installInto(folder);
    node = nodeIn(folder, asUser, setpriv);
  });

  const run = (args: readonly string[]) =>
    runEvy(args, {
      node: setpriv,
      nodeArgs: [...asUser, node],
      program: join(folder, 'node_modules', 'evy', 'dist', 'cli.js'),
      logStyle: 'json',
      cwd: folder,
      env,
    });

  it('the command starts, reloads and stops', async () => {
    const evy = run(['--port', '0', '--workers', '2', 'app.mjs']);
    await evy.until('master.ready');
    expect(await answerOf({ port: evy.port })).to.equal('served');
    evy.signal('SIGHUP');
    await evy.until('reload.done');
    expect(await answerOf({ port: evy.port })).to.equal('served');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('--check-config finds nothing wrong', async () => {
    const evy = run(['--check-config', 'app.mjs']);
    expect(await evy.exit, evy.output()).to.deep.equal({ code: 0, signal: null });
  });

  it('a program can import it, and serve in its own process', async () => {
    await writeFiles(folder, {
      'program.mjs': `
import { createMaster, listen, wsgi } from 'evy';
const answer = (env, startResponse) => (startResponse('200 OK', []), ['own']);
const { host, port } = await wsgi.server(listen(['127.0.0.1', 0]), answer).ready;
console.log(typeof createMaster, await (await fetch(\`http://\${host}:\${port}/\`)).text());
process.exit(0);
`,
    });
    const found = spawnSync(setpriv, [...asUser, node, 'program.mjs'], { cwd: folder, encoding: 'utf8', env: {} });
    expect(found, found.stderr).to.include({ stdout: 'function own\n', status: 0 });
  });
});
