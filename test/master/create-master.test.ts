import cluster from 'node:cluster';
import { expect } from 'chai';
import { askAnew } from '../../src/master/create-master.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { fakeCrew, rejection } from './helpers/fake-crew.ts';

const signals = [
  'SIGHUP',
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTTIN',
  'SIGTTOU',
  'SIGWINCH',
] as const;
const listeners = () => signals.map((signal) => process.listenerCount(signal));

describe('a master inside of another program', () => {
  it('changes nothing process-wide', async () => {
    const before = { settings: { ...cluster.settings }, listeners: listeners(), env: { ...process.env } };
    const crew = await fakeCrew({}, { bind: ['127.0.0.1:0', 'unix:app.sock'] });
    await crew.master.start();
    const during = { settings: { ...cluster.settings }, listeners: listeners(), env: { ...process.env } };
    expect(during).to.deep.equal(before);
    await crew.master.stop();
    expect(Object.keys(cluster.workers ?? {})).to.deep.equal([]);
  });

  it('does not disturb a second one', async () => {
    const one = await fakeCrew({}, { workers: 1 });
    const two = await fakeCrew({}, { workers: 2 });
    await Promise.all([one.master.start(), two.master.start()]);
    await two.master.reload();
    expect((await one.ask())[0]).to.equal(1);
    expect((await two.ask())[0]).to.equal(2);
    await one.master.stop();
    expect((await two.ask())[0]).to.equal(2);
  });

  it('takes signals when asked, and gives them back at the end', async () => {
    const before = listeners();
    const crew = await fakeCrew({}, { workers: 1 }, { signals: true });
    await crew.master.start();
    process.kill(process.pid, 'SIGHUP');
    await crew.until('reload:done');
    process.kill(process.pid, 'SIGTTIN');
    await crew.settled(2, 2);
    process.kill(process.pid, 'SIGTTOU');
    process.kill(process.pid, 'SIGTTOU');
    await crew.settled(1, 2);
    process.kill(process.pid, 'SIGWINCH');
    await waitFor('WINCH to be named', () => crew.lines('signal.ignored')[0]?.['signal'] === 'SIGWINCH');
    process.kill(process.pid, 'SIGTERM');
    await crew.until('stopped');
    expect(listeners()).to.deep.equal(before);
  });

  it('asks for options anew, within a time', async () => {
    expect(await askAnew(async () => ({ workers: 3 }))).to.deep.equal({ workers: 3 });
    expect(await rejection(askAnew(() => Promise.reject(new Error('no'))))).to.include({ message: 'no' });
    const error = await rejection(askAnew(() => new Promise(() => {}), 10));
    expect(error).to.include({
      code: 'ON_RELOAD_TIMEOUT',
      message: 'onReload() did not return its options within 0.01 s',
    });
  });

  it('shows listeners the state that the command has left', async () => {
    const crew = await fakeCrew();
    const states: unknown[] = [];
    crew.master.on('reload:done', ({ generation }) => states.push(generation, crew.master.status().generation));
    await crew.master.start();
    await crew.master.reload();
    await crew.until('reload:done');
    expect(states).to.deep.equal([2, 2]);
  });
});
