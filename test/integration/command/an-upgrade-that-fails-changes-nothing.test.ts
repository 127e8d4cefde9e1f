import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor, withDeadline } from '../../helpers/wait-for.ts';
import {
  answerOf,
  beginSlow,
  crewOf,
  expectNoLoss,
  expectUnnoticed,
  hasEnded,
  light,
  moreAnswers,
  onTwo,
  serve,
  slow,
  underLoad,
  workersOf,
} from './serving.ts';
import { end, upgrade } from './upgrading.ts';

/** Answers the load client; loading it waits while there is a file 'wait', and tells so by a file 'waiting'. */
const app = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
if (existsSync('wait')) writeFileSync('waiting', '');
while (existsSync('wait')) await setTimeout(20);
export default (env, startResponse) => {
  startResponse('200 OK', [['X-Pid', String(process.pid)]]);
  return [env.HTTP_X_LOAD_ID ?? 'echo'];
};
`;
const config = (more: object = {}): string =>
  `export default ${JSON.stringify({ app: 'app.mjs', workers: 2, ...more })}`;

async function start(): Promise<{ evy: EvyProcess; cwd: string; pidfile: string }> {
  const cwd = await tempFolder({ 'app.mjs': app, 'evy.config.mjs': config() });
  const pidfile = join(cwd, 'evy.pid');
  const evy = await serve(['--bind', '127.0.0.1:0', '--pidfile', pidfile], { cwd });
  return { evy, cwd, pidfile };
}

/** USR2, and the process id of a new master that hangs in its boot. */
async function beginUpgrade(evy: EvyProcess, cwd: string): Promise<number> {
  await writeFiles(cwd, { wait: '' });
  const times = evy.seen('upgrade.started').length + 1;
  evy.signal('SIGUSR2');
  const { successor } = await evy.until('upgrade.started', { times });
  await waitFor('the boot of a new worker', () => existsSync(join(cwd, 'waiting')));
  return successor as number;
}

const letGo = (cwd: string): Promise<void> => rm(join(cwd, 'wait'));

describe('an upgrade that fails', () => {
  it('for its configuration, its application or its death leaves the old master as it was', async function () {
    const { evy, cwd, pidfile } = await start();
    const before = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, light);
    const failure = async (times: number) => (await evy.until('upgrade.failed', { times })).message;

    await writeFiles(cwd, { 'evy.config.mjs': config({ wokers: 3 }) });
    evy.signal('SIGUSR2');
    expect(await failure(1)).to.match(/wokers.*BAD_CONFIG|wokers.*BAD_OPTION/);

    await writeFiles(cwd, { 'evy.config.mjs': config(), 'app.mjs': 'throw new Error("no database")' });
    evy.signal('SIGUSR2');
    expect(await failure(2))
      .to.include('no database')
      .and.to.include('APP_LOAD_FAILED');

    await writeFiles(cwd, { 'app.mjs': app });
    const successor = await beginUpgrade(evy, cwd);
    process.kill(successor, 'SIGKILL');
    expect(await failure(3)).to.equal('the new master ended: signal SIGKILL');
    await letGo(cwd);

    await moreAnswers(load);
    expectNoLoss(await load.stop());
    expect(readFileSync(pidfile, 'utf8')).to.equal(`${evy.pid}\n`);
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('when only some of its workers boot has accepted nobody', async function () {
    const half = `
import { mkdirSync } from 'node:fs';
if (existsSync('half')) mkdirSync('first'); // which succeeds once
`;
    const cwd = await tempFolder({ 'app.mjs': `${half}${app}`, 'evy.config.mjs': config() });
    const evy = await serve(['--bind', '127.0.0.1:0'], { cwd });
    const before = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, light);
    await writeFiles(cwd, { half: '' });
    evy.signal('SIGUSR2');
    const { successor } = await evy.until('upgrade.started');
    await evy.until('worker.ready', { times: 3 });
    await evy.until('worker.delayed', { times: 2 });
    await moreAnswers(load, 300);
    process.kill(successor as number, 'SIGTERM');
    expect((await evy.until('upgrade.failed')).message).to.equal('the new master was stopped');
    await moreAnswers(load);
    const result = await load.stop();
    expectUnnoticed(result);
    expect(Object.keys(result.seen)).to.have.members(before.map(({ pid }) => String(pid)));
    await waitFor('the end of the new master', () => hasEnded(successor as number));
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('after the new master served is taken back', async function () {
    const folder = await tempFolder();
    const pidfile = join(folder, 'evy.pid');
    const evy = await serve([...onTwo, '--pidfile', pidfile, slow]);
    const { port } = evy;
    // The old master waits for this one, and so is still there.
    const busy = await beginSlow({ port }, join(folder, 'gate'));
    evy.signal('SIGUSR2');
    const { successor } = await evy.until('upgrade.ready');
    expect(readFileSync(pidfile, 'utf8')).to.equal(`${String(successor)}\n`);
    process.kill(successor as number, 'SIGKILL');
    await evy.until('upgrade.failed');
    expect(await answerOf({ port })).to.equal('at once');
    expect(readFileSync(pidfile, 'utf8')).to.equal(`${evy.pid}\n`);
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    busy.close();
    // Nobody has told of the end of the killed master's workers.
    await waitFor('a whole crew', async () => (await workersOf(evy)).length === 2);
    const { pid } = await upgrade(evy);
    expect(await answerOf({ port })).to.equal('at once');
    await end(pid);
  });
});

describe('a signal during an upgrade', () => {
  it('TERM ends both masters', async function () {
    const { evy, cwd } = await start();
    const successor = await beginUpgrade(evy, cwd);
    const exit = evy.stop();
    await evy.until('upgrade.failed');
    await letGo(cwd);
    expect(await withDeadline('the end', exit, 40_000)).to.deep.equal({ code: 0, signal: null });
    await waitFor('the end of the new master', () => hasEnded(successor));
  });

  it('USR2 is part of the one under way, and HUP is for the master that serves in the end', async function () {
    const { evy, cwd } = await start();
    const successor = await beginUpgrade(evy, cwd);
    evy.signal('SIGUSR2');
    await evy.until('signal.ignored', { where: ({ signal }) => signal === 'SIGUSR2' });
    evy.signal('SIGHUP');
    await letGo(cwd);
    await evy.until('reload.done');
    await waitFor('the end of the old master', () => hasEnded(evy.pid));
    expect(evy.seen('upgrade.started')).to.have.length(1);
    await end(successor);
  });
});
