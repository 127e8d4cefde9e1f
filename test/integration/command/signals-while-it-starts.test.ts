/**
 * From the first line that the command or a worker runs, a signal has the effect that it has later on. Before that line, while Node
 * itself starts, signals do what they do to every process.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readText, tempFolder, writeFiles } from '../../helpers/files.ts';
import { handlesSignal, sendSignal } from '../../helpers/processes.ts';
import { runEvy, type EvyProcess, type RunOptions } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, crewOf, echo, hasEnded, onTwo } from './serving.ts';

/** The last one that is given a handler. */
const lastHandled = 'SIGWINCH';

const listening = (pid: number) =>
  waitFor(`process ${pid} handles signals`, () => handlesSignal(pid, lastHandled), { everyMs: 1 });

/** A start that is `afterMs` further on than its first line. */
async function starting(
  afterMs = 0,
  args: readonly string[] = [...onTwo, echo],
  options?: RunOptions,
): Promise<EvyProcess> {
  const evy = runEvy(args, options);
  await listening(evy.pid);
  if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
  return evy;
}

async function expectServing(evy: EvyProcess, generations: readonly number[]): Promise<void> {
  await evy.until('master.ready');
  await crewOf(evy, generations);
  expect(await answerOf({ port: evy.port })).to.equal('echo');
  expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
}

async function expectStopped(evy: EvyProcess): Promise<void> {
  expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
  expect(evy.output()).to.not.match(/^evy: /m);
}

describe('a signal while the command starts', () => {
  it('has its effect: those that do not stop it, all at once', async () => {
    const evy = await starting();
    for (const signal of ['SIGTTIN', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const) evy.signal(signal);
    await evy.until('logs.reopened');
    await evy.until('signal.ignored');
    expect((await evy.until('upgrade.failed')).message).to.include('still starting');
    await evy.until('reload.done');
    await expectServing(evy, [2, 2, 2]);
  });

  it('has its effect: TTOU', async () => {
    const evy = await starting();
    evy.signal('SIGTTOU');
    await expectServing(evy, [1]);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    it(`stops it in order: ${signal}`, async () => {
      const evy = await starting();
      evy.signal(signal);
      await expectStopped(evy);
    });
  }

  for (const earliestMs of [20, 80, 200]) {
    it(`has its effect also ${earliestMs} ms later`, async () => {
      const evy = await starting(earliestMs * (1 + Math.random()));
      evy.signal('SIGHUP');
      await evy.until('reload.done');
      evy.signal('SIGTERM');
      await expectStopped(evy);
    });
  }

  it('that a terminal sends to the whole group reloads, or stops', async () => {
    const afterMs = 400 * Math.random();
    const evy = await starting(afterMs);
    sendSignal(-evy.pid, 'SIGHUP');
    await evy.until('reload.done');
    sendSignal(-evy.pid, 'SIGINT');
    await expectStopped(evy);
    const other = await starting(afterMs);
    sendSignal(-other.pid, 'SIGINT');
    await expectStopped(other);
  });

  it('does what it does to any program when nothing is to be served', async () => {
    const folder = await tempFolder({
      'evy.config.mjs': `process.stderr.write('reading\\n'); await new Promise(() => setInterval(() => {}, 1000));`,
    });
    const evy = runEvy(['--check-config'], { cwd: folder });
    await waitFor('the file is being read', () => evy.output('stderr').includes('reading'));
    evy.signal('SIGTERM');
    expect(await evy.exit).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });
});

describe('a signal while the configuration file is read', () => {
  const configuration = `
    import { existsSync, writeFileSync } from 'node:fs';
    writeFileSync('reading', String(process.pid));
    while (!existsSync('go-on')) await new Promise((resolve) => setTimeout(resolve, 10));
    export default { app: ${JSON.stringify(echo)}, port: 0, workers: 2 };`;

  async function reading(): Promise<{ evy: EvyProcess; child: number; folder: string }> {
    const folder = await tempFolder({ 'evy.config.mjs': configuration });
    const evy = runEvy([], { cwd: folder });
    const child = await waitFor('the file is being read', async () => {
      return Number(await readFile(join(folder, 'reading'), 'utf8').catch(() => '')) || undefined;
    });
    return { evy, child, folder };
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops at once: ${signal} to the whole group`, async () => {
      const { evy, child } = await reading();
      sendSignal(-evy.pid, signal);
      expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
      expect(evy.output()).to.equal('');
      await waitFor('the process that read the file has ended', () => hasEnded(child));
    });
  }

  it('reloads later: HUP to the whole group', async () => {
    const { evy, folder } = await reading();
    sendSignal(-evy.pid, 'SIGHUP');
    await writeFiles(folder, { 'go-on': '' });
    await evy.until('reload.done');
    await expectServing(evy, [2, 2]);
  });
});

describe('a signal while a worker starts', () => {
  /** The only worker, as soon as it is there. */
  async function firstWorker(app = echo): Promise<{ evy: EvyProcess; worker: number }> {
    const evy = runEvy(['--port', '0', '--workers', '1', app]);
    const worker = await waitFor(
      'a worker process',
      async () => {
        const children = await readText(`/proc/${evy.pid}/task/${evy.pid}/children`).catch(() => '');
        return Number(children.trim()) || undefined;
      },
      { everyMs: 1 },
    );
    return { evy, worker };
  }

  it('is ignored: those on which the master decides', async () => {
    const { evy, worker } = await firstWorker();
    await running(worker);
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGWINCH'] as const)
      sendSignal(worker, signal);
    expect(await evy.until('worker.ready')).to.include({ worker: 1, pid: worker });
    await expectServing(evy, [1]);
  });

  /** Its first line has run. Before it runs its own program it still has the signal handlers of the master. */
  async function running(worker: number): Promise<void> {
    const command = () => readText(`/proc/${worker}/cmdline`).catch(() => '');
    await waitFor('it runs its own program', async () => (await command()).includes('entry.js'), { everyMs: 1 });
    await listening(worker);
  }

  for (const signal of ['SIGTERM', 'SIGQUIT'] as const) {
    it(`has it replaced: ${signal}`, async () => {
      // It cannot be ready before the master has heard of the signal.
      const folder = await tempFolder({
        'app.mjs': `
          import { existsSync } from 'node:fs';
          const file = new URL('go-on', import.meta.url);
          while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
          export { default } from ${JSON.stringify(echo)};`,
      });
      const { evy, worker } = await firstWorker(join(folder, 'app.mjs'));
      await running(worker);
      sendSignal(worker, signal);
      expect(await evy.until('worker.retiring')).to.include({ pid: worker, reason: signal });
      await writeFiles(folder, { 'go-on': '' });
      await expectServing(evy, [1]);
    });
  }

  it('has it replaced also before its first line: HUP', async () => {
    const { evy, worker } = await firstWorker();
    sendSignal(worker, 'SIGHUP');
    await expectServing(evy, [1]);
  });
});
