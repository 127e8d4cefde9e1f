import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isRunning } from '../../helpers/processes.ts';
import { otherKeyfile, certfile } from '../../helpers/certificates.ts';
import { fakeCrew, rejection } from '../helpers/fake-crew.ts';

describe('a master starts', () => {
  it('opens the socket, boots all workers and says where it listens', async () => {
    const crew = await fakeCrew({}, { workers: 3 });
    expect(crew.master.status()).to.include({ state: 'idle', generation: 0 });
    const { addresses } = await crew.master.start();
    expect(addresses).to.have.length(1);
    expect(addresses[0]).to.include({ kind: 'tcp', host: '127.0.0.1', tls: false });
    expect(addresses[0]!.port).to.be.above(0);
    expect(addresses[0]!.name).to.equal(`127.0.0.1:${addresses[0]!.port}`);
    await crew.settled(3, 1);
    const [generation, pid] = await crew.ask();
    expect(generation).to.equal(1);
    expect(crew.pids()).to.include(pid);
    expect(crew.lines('master.ready')[0]).to.deep.equal({
      pid: process.pid,
      addresses: [addresses[0]!.name],
      workers: 3,
      interface: 'wsgi',
    });
    expect(crew.master.status()).to.include({ state: 'serving', generation: 1, candidate: null, wantedWorkers: 3 });
  });

  it('keeps the latest counts of each worker', async () => {
    const crew = await fakeCrew({}, { workers: 1 });
    await crew.master.start();
    await crew.ask();
    const [worker] = crew.master.status().workers;
    expect(worker).to.deep.include({ worker: 1, generation: 1, state: 'ready', restarts: 0 });
    expect(worker!.stats).to.include({
      connections: 1,
      activeRequests: 2,
      requests: 3,
      pendingHooks: 4,
      answers2xx: 100,
    });
  });

  it('fails with the error of the application, told once, and leaves nothing behind', async () => {
    const crew = await fakeCrew({ boot: 'fail' }, { workers: 3, bind: 'unix:app.sock' });
    const error = await rejection(crew.master.start());
    expect(error).to.include({ code: 'APP_LOAD_FAILED', exitCode: 4, message: 'no such thing' });
    expect((error.cause as Error).stack).to.contain('app.json:1:1');
    expect(crew.events.filter(([name]) => name === 'worker:spawned')).to.have.length(3);
    expect(crew.lines('worker.failed')).to.deep.equal([]);
    expect(crew.master.status()).to.deep.include({ state: 'stopped', workers: [] });
    expect(existsSync(join(crew.folder, 'app.sock'))).to.equal(false);
  });

  it('names the exit code and the last error when no worker can boot', async () => {
    const crashing = await fakeCrew({ boot: 'crash' });
    const error = await rejection(crashing.master.start());
    expect(error).to.include({ code: 'WORKERS_CANNOT_BOOT', exitCode: 3 });
    expect(error.message).to.contain('exit code 1').and.to.contain('out of luck');
    const exiting = await fakeCrew({ boot: 'exit' });
    expect((await rejection(exiting.master.start())).message).to.contain('exit code 7');
  });

  it('replaces a worker that a signal ended before it could handle signals, and gives up when that goes on', async () => {
    const crew = await fakeCrew({}, { workers: 1 });
    let left = 2;
    crew.master.on('worker:spawned', ({ pid }) => {
      if (left > 0) process.kill(pid!, 'SIGHUP');
      left -= 1;
    });
    await crew.master.start();
    await crew.settled(1, 1);
    const hopeless = await fakeCrew({}, { workers: 1 });
    hopeless.master.on('worker:spawned', ({ pid }) => process.kill(pid!, 'SIGHUP'));
    expect((await rejection(hopeless.master.start())).message).to.contain('signal SIGHUP');
  });

  it('kills workers that do not get ready within bootTimeout', async () => {
    const crew = await fakeCrew({ boot: 'hang' }, { bootTimeout: '300ms' });
    const error = await rejection(crew.master.start());
    expect(error).to.include({ code: 'BOOT_TIMEOUT', exitCode: 3 });
    expect(error.message).to.contain('300ms').and.to.contain('bootTimeout');
    const exits = crew.events
      .filter(([name]) => name === 'worker:exit')
      .map(([, info]) => info as { pid: number; signal: string });
    expect(exits.map(({ signal }) => signal)).to.deep.equal(['SIGKILL', 'SIGKILL']);
    expect(exits.some(({ pid }) => isRunning(pid))).to.equal(false);
  });

  it('is done when some workers serve, and goes on trying the others', async () => {
    const crew = await fakeCrew({ boot: 'exit', goodBoots: 1 });
    await crew.master.start();
    expect(crew.master.status().workers.filter(({ state }) => state === 'ready')).to.have.length(1);
    crew.behave({});
    await crew.settled(2, 1);
    expect(crew.lines('worker.delayed').map(({ inARow }) => inARow)).to.satisfy((rows: number[]) =>
      rows.every((row) => row >= 2),
    );
  });

  it('refuses, before any worker, an application or a certificate that cannot be', async () => {
    const missing = await fakeCrew({}, { app: 'nowhere:app' });
    expect(await rejection(missing.master.start())).to.include({ code: 'APP_NOT_FOUND', exitCode: 4 });
    const mismatch = await fakeCrew({}, { bind: 'tls:127.0.0.1:0', certfile, keyfile: otherKeyfile });
    const error = await rejection(mismatch.master.start());
    expect(error).to.include({ code: 'BAD_CERTIFICATE', exitCode: 2 });
    expect(error.message).to.contain('--certfile').and.to.contain(otherKeyfile);
    expect(mismatch.events).to.deep.equal([]);
  });

  it('refuses an address in use and has opened nothing then', async () => {
    const first = await fakeCrew();
    const { addresses } = await first.master.start();
    const second = await fakeCrew({}, { bind: ['unix:app.sock', addresses[0]!.name], port: undefined });
    const error = await rejection(second.master.start());
    expect(error).to.include({ code: 'ADDRESS_IN_USE', exitCode: 3 });
    expect(error.message).to.contain(`--bind ${addresses[0]!.name}`);
    expect(existsSync(join(second.folder, 'app.sock'))).to.equal(false);
  });

  it('writes its pid file and removes it', async () => {
    const crew = await fakeCrew({}, { pidfile: 'evy.pid' });
    await crew.master.start();
    const path = join(crew.folder, 'evy.pid');
    expect(readFileSync(path, 'utf8')).to.equal(`${process.pid}\n`);
    await crew.master.stop();
    expect(existsSync(path)).to.equal(false);
  });

  it('and reloads afterwards when that was asked for meanwhile', async () => {
    const crew = await fakeCrew();
    const started = crew.master.start();
    const reloaded = crew.master.reload();
    await started;
    expect(await reloaded).to.include({ generation: 2 });
    await crew.settled(2, 2);
  });

  it('starts once only', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    expect(await rejection(crew.master.start())).to.include({ code: 'NOT_SUPPORTED' });
  });
});
