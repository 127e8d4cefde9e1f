import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isRunning } from '../../helpers/processes.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { askAt, fakeCrew, rejection } from '../helpers/fake-crew.ts';

describe('a master stops', () => {
  it('lets its workers drain, and leaves no process, socket or file', async () => {
    const crew = await fakeCrew({}, { bind: ['127.0.0.1:0', 'unix:app.sock'] });
    const { addresses } = await crew.master.start();
    const pids = crew.pids();
    expect((await askAt(addresses[1]!))[0]).to.equal(1);
    const result = await crew.master.stop();
    expect(result).to.include({ workers: 2, moved: 0, drained: 10, cut: 0 });
    expect(pids.some(isRunning)).to.equal(false);
    expect(await rejection(askAt(addresses[0]!))).to.include({ code: 'ECONNREFUSED' });
    expect(existsSync(join(crew.folder, 'app.sock'))).to.equal(false);
    expect(crew.lines('worker.exit').map(({ code }) => code)).to.deep.equal([0, 0]);
    await crew.until('stopped');
    expect(crew.events.map(([name]) => name).filter((name) => name.startsWith('stop'))).to.deep.equal([
      'stopping',
      'stopped',
    ]);
    expect(crew.lines('master.stopped')).to.deep.equal([result]);
    expect(crew.events.at(-1)).to.deep.equal(['stopped', result]);
    expect(crew.master.status()).to.deep.include({ state: 'stopped', workers: [] });
  });

  it('names the requests that a worker could not finish, and kills it', async () => {
    const crew = await fakeCrew({ drain: 'overdue' }, { workers: 1, grace: '100ms' });
    await crew.master.start();
    expect(await crew.master.stop()).to.include({ workers: 1, moved: 0, drained: 1, cut: 1 });
    expect(crew.lines('request.cut')[0]).to.include({
      method: 'GET',
      target: '/slow?idle=close',
      ageMs: 100,
      worker: 1,
    });
    expect(crew.lines('worker.killed')).to.have.length(1);
    expect(crew.lines('worker.exit')[0]).to.include({ signal: 'SIGKILL' });
  });

  it('kills a worker that says nothing a second after its grace', async () => {
    const crew = await fakeCrew({ drain: 'ignore' }, { workers: 1 });
    await crew.master.start();
    const began = performance.now();
    // Without last words its last report counts.
    expect(await crew.master.stop({ graceMs: 50 })).to.include({ moved: 0, drained: 0, cut: 2 });
    expect(performance.now() - began).to.be.within(1000, 5000);
    expect(crew.lines('worker.killed')[0]).to.include({ message: 'its grace time is over' });
  });

  it('lets idle clients move when it only replaces a worker', async () => {
    const crew = await fakeCrew({ drain: 'overdue' }, { workers: 1, grace: '50ms' });
    await crew.master.start();
    await crew.master.reload();
    await waitFor('the old worker to be cut', () => crew.lines('request.cut').length === 1);
    expect(crew.lines('request.cut')[0]).to.include({ target: '/slow?idle=move' });
  });

  it('hastens those that drain since a reload', async () => {
    const crew = await fakeCrew({ drain: 'last-only' }, { workers: 1 });
    await crew.master.start();
    void crew.master.reload();
    await crew.until('reload:live');
    expect(crew.master.status().workers.map(({ state }) => state)).to.deep.equal(['draining', 'ready']);
    await crew.master.stop();
    expect(crew.lines('worker.exit').map(({ code }) => code)).to.deep.equal([0, 0]);
  });

  it('within the grace time of the stop, whatever those that drain were given', async () => {
    const crew = await fakeCrew({ drain: 'ignore' }, { workers: 1, grace: '1h' });
    await crew.master.start();
    void crew.master.reload();
    await crew.until('reload:live');
    await crew.master.stop({ graceMs: 0 });
    expect(crew.lines('worker.killed')).to.have.length(2);
  });

  it('at once when told so, also in the middle of a graceful stop', async () => {
    const crew = await fakeCrew({ drain: 'ignore' });
    await crew.master.start();
    const graceful = crew.master.stop();
    await crew.until('worker:retiring', 2);
    await crew.master.stopNow();
    await graceful;
    expect(crew.lines('worker.exit').map(({ signal }) => signal)).to.deep.equal(['SIGKILL', 'SIGKILL']);
  });

  it('does not replace what dies meanwhile', async () => {
    const crew = await fakeCrew({ drain: 'ignore' });
    await crew.master.start();
    const stopped = crew.master.stop();
    await crew.until('worker:retiring', 2);
    for (const pid of crew.pids()) process.kill(pid, 'SIGKILL');
    await stopped;
    expect(crew.events.filter(([name]) => name === 'worker:spawned')).to.have.length(2);
  });

  it('while it starts: the start is rejected', async () => {
    const crew = await fakeCrew({ boot: 'hang' });
    const started = rejection(crew.master.start());
    await crew.until('worker:spawned', 2);
    await crew.master.stop({ graceMs: 100 });
    expect(await started).to.include({ code: 'STOPPING' });
  });

  it('and takes no further command', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const stopped = crew.master.stop();
    expect(await rejection(crew.master.reload())).to.include({ code: 'STOPPING' });
    expect(await rejection(crew.master.scale(3))).to.include({ code: 'STOPPING' });
    await stopped;
    expect(await rejection(crew.master.reload())).to.include({ code: 'STOPPING' });
    await crew.master.stop();
    await crew.master.stopNow();
  });

  it('although it never started', async () => {
    const crew = await fakeCrew();
    await crew.master.stop();
    expect(crew.master.status().state).to.equal('stopped');
    expect(await rejection(crew.master.start())).to.include({ code: 'NOT_SUPPORTED' });
  });
});
