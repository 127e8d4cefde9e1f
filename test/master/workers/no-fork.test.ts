/** No memory for a fork: what the system refuses at once (ENOMEM), and what Node tells a moment later (EAGAIN). */
import cluster from 'node:cluster';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { fakeCrew, rejection } from '../helpers/fake-crew.ts';

/** From now on, and until the function that it returns is called, no worker can be forked. */
function refuseForks(code: string): () => void {
  const { fork } = cluster;
  const allow = () => {
    cluster.fork = fork;
  };
  onEnd(allow);
  cluster.fork = () => {
    throw Object.assign(new Error(`spawn ${code}`), { code });
  };
  return allow;
}

describe('without memory for a fork', () => {
  for (const code of ['ENOMEM', 'EAGAIN']) {
    it(`(${code}) a worker that died is replaced when there is some again`, async () => {
      const crew = await fakeCrew();
      await crew.master.start();
      const [victim, survivor] = crew.pids();
      const allow = refuseForks(code);
      process.kill(victim!, 'SIGKILL');
      await crew.until('worker:exit', 3);
      expect(crew.lines('worker.exit').at(-1)?.['error']).to.equal(`fork failed: spawn ${code}`);
      expect(crew.pids().filter((pid) => pid !== undefined)).to.deep.equal([survivor]);
      expect((await crew.ask())[1]).to.equal(survivor);
      allow();
      await crew.settled(2, 1);
      expect(crew.pids()).to.include(survivor);
    });
  }

  it('a reload fails, and the old generation serves on, whole', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const before = crew.pids();
    const allow = refuseForks('ENOMEM');
    const error = await rejection(crew.master.reload());
    expect(error).to.include({ code: 'RELOAD_FAILED' });
    expect(error.message).to.include('spawn ENOMEM');
    expect(crew.pids()).to.deep.equal(before);
    allow();
    expect(await crew.master.reload()).to.include({ replaced: 2 });
  });

  it('a start fails with the reason', async () => {
    const crew = await fakeCrew();
    refuseForks('ENOMEM');
    const error = await rejection(crew.master.start());
    expect(error).to.include({ code: 'WORKERS_CANNOT_BOOT' });
    expect(error.message).to.include('spawn ENOMEM');
  });
});
