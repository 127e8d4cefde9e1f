import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from './files.ts';
import { isRunning, processesWith, runId, runVariable } from './processes.ts';
import { reapAll, runEvy, type EvyProcess } from './run-evy.ts';

const log = `const log = (event, fields) => console.error(JSON.stringify({ level: 'info', time: 1, event, ...fields }));`;

/** Starts a small program in place of the command. */
async function run(source: string): Promise<EvyProcess> {
  const program = join(await tempFolder({ 'program.mjs': `${log}\n${source}` }), 'program.mjs');
  return runEvy([], { program });
}
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('no error'),
    (error: Error) => error,
  );

describe('runEvy', () => {
  it('waits for log lines among other output', async () => {
    const evy = await run(`
      console.log('hello {');
      log('worker.ready', { slot: 0 }); log('worker.ready', { slot: 1 });
      log('master.ready', { addresses: ['unix:/x', '[::1]:81', 'tls:127.0.0.1:82'] });
      setInterval(() => {}, 1000);`);
    expect(await evy.until('worker.ready', { times: 2 })).to.include({ slot: 1 });
    expect(await evy.until('worker.ready', { where: ({ slot }) => slot === 1 })).to.include({ level: 'info', slot: 1 });
    await evy.until('master.ready');
    expect(evy.port).to.equal(81);
    expect(evy.url).to.equal('http://[::1]:81');
    expect(evy.addresses[2]).to.deep.equal({ tls: true, host: '127.0.0.1', port: 82 });
    expect(evy.seen('worker.ready')).to.have.length(2);
    expect(evy.output('stdout')).to.equal('hello {\n');
  });
  it('rejects with the output when the command ends first', async () => {
    const evy = await run(`console.error('no such file'); process.exit(4)`);
    expect((await failure(evy.until('master.ready'))).message).to.match(/ended before 'master.ready'[^]*no such file/);
    expect(await evy.exit).to.deep.equal({ code: 4, signal: null });
  });
  it('rejects with the output at the deadline', async () => {
    const evy = await run(`log('master.starting'); setInterval(() => {}, 1000);`);
    await evy.until('master.starting');
    const { message } = await failure(evy.until('master.ready', { withinMs: 20 }));
    expect(message).to.match(/not within 20 ms: 'master.ready'[^]*running[^]*master.starting/);
  });
  it('sends signals and tells how it ended', async () => {
    const evy = await run(
      `process.on('SIGHUP', () => log('reload.done')); log('master.ready'); setInterval(() => {}, 1000);`,
    );
    await evy.until('master.ready');
    evy.signal('SIGHUP');
    await evy.until('reload.done');
    expect(await evy.stop()).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });
  it("keeps the developer's settings away and passes the test's own", async () => {
    process.env.WEB_CONCURRENCY = '7';
    const source = `console.log(process.env.WEB_CONCURRENCY, process.env.OWN)`;
    const program = join(await tempFolder({ 'program.mjs': source }), 'program.mjs');
    const evy = runEvy([], { program, env: { OWN: 'yes' } });
    delete process.env.WEB_CONCURRENCY;
    await evy.exit;
    expect(evy.output()).to.equal('undefined yes\n');
  });
  it('kills a running command with all of its processes', async () => {
    const evy = await run(`
      import { spawn } from 'node:child_process';
      log('pid', { pid: spawn('sleep', ['100']).pid });`);
    const { pid } = (await evy.until('pid')) as unknown as { pid: number };
    expect(isRunning(pid)).to.equal(true);
    expect(await reapAll()).to.deep.equal([]);
    expect(await evy.exit).to.deep.equal({ code: null, signal: 'SIGKILL' });
    expect((await processesWith(runVariable, runId)).map((found) => found.pid)).not.to.include(pid);
  });
  it('reports what outlives its command', async function () {
    if (process.platform !== 'linux') return this.skip();
    const evy = await run(`
      import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['100'], { detached: true, stdio: 'ignore' });
      child.unref();
      log('pid', { pid: child.pid });`);
    const { pid } = (await evy.until('pid')) as unknown as { pid: number };
    await evy.exit;
    expect(await evy.reap(50)).to.deep.equal([`process ${pid} (sleep 100)`]);
    expect(await evy.reap()).to.deep.equal([]);
  });
});
