import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { askAt, fakeCrew, rejection } from '../helpers/fake-crew.ts';

describe('a master looks after its workers', () => {
  it('replaces those that were killed, at once, and refuses nobody meanwhile', async () => {
    const crew = await fakeCrew();
    const { addresses } = await crew.master.start();
    for (const pid of crew.pids()) process.kill(pid, 'SIGKILL');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => askAt(addresses[0]!).catch((error: NodeJS.ErrnoException) => error.code)),
    );
    // Only one that a dying worker had accepted may be lost.
    expect(answers).to.not.include('ECONNREFUSED');
    await crew.until('worker:exit', 2);
    await crew.settled(2, 1);
    const exit = crew.lines('worker.exit')[0]!;
    expect(exit).to.include({ signal: 'SIGKILL', code: undefined, generation: 1 });
    expect(crew.lines('worker.delayed')).to.deep.equal([]);
  });

  it('replaces one that dies again and again with growing delays, while the others serve', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const [survivor, victim] = crew.pids();
    crew.behave({ boot: 'crash' });
    process.kill(victim!, 'SIGKILL');
    await waitFor('two delays', () => crew.lines('worker.delayed').length >= 2);
    const delays = crew.lines('worker.delayed').map(({ delayMs }) => delayMs as number);
    expect(delays[0]).to.be.within(375, 500);
    expect(delays[1]).to.be.within(750, 1000);
    expect((await crew.ask())[1]).to.equal(survivor);
    expect(crew.lines('worker.crashed')[0]).to.include({ message: 'out of luck', generation: 1 });
    expect(crew.lines('worker.exit').at(-1)).to.include({ code: 1, error: 'out of luck' });
    crew.behave({});
    await crew.settled(2, 1);
    expect(
      crew.master
        .status()
        .workers.map(({ restarts }) => restarts)
        .toSorted((one, other) => one - other)[1],
    ).to.be.at.least(3);
  });

  it('kills and replaces one whose watchdog says that it is stuck', async () => {
    const crew = await fakeCrew({}, { stuckTimeout: '7s' });
    await crew.master.start();
    const [pid, other] = crew.pids();
    process.kill(pid!, 'SIGWINCH');
    await crew.until('worker:exit');
    await crew.settled(2, 1);
    expect(crew.lines('worker.stuck')).to.have.length(1);
    expect(crew.lines('worker.stuck')[0]).to.include({ pid, blockedMs: 7_000, stack: '    at spins (app.mjs:1:1)' });
    expect(crew.lines('request.cut')[0]).to.include({ pid, target: '/stuck' });
    expect(crew.lines('worker.killed')[0]).to.include({ pid });
    expect(crew.lines('worker.exit')[0]).to.include({ signal: 'SIGKILL', error: 'its event loop was stuck' });
    expect(crew.pids()).to.include(other).and.not.include(pid);
  });

  it('has no watchdog where stuckTimeout is 0', async () => {
    const crew = await fakeCrew({}, { stuckTimeout: 0 });
    await crew.master.start();
    process.kill(crew.pids()[0]!, 'SIGWINCH');
    await crew.until('worker:exit');
    expect(crew.lines('worker.exit')[0]).to.include({ code: 5 });
    await crew.settled(2, 1);
  });

  it('replaces one that was sent TERM, which drains', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const [pid] = crew.pids();
    process.kill(pid!, 'SIGTERM');
    await crew.until('worker:exit');
    await crew.settled(2, 1);
    expect(crew.lines('worker.retiring')[0]).to.include({ pid, reason: 'SIGTERM' });
    expect(crew.lines('worker.exit')[0]).to.include({ pid, code: 0 });
    expect(crew.pids()).to.not.include(pid);
  });

  it('lets Ctrl-C pass that reaches a worker', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const pids = crew.pids();
    for (const pid of pids) process.kill(pid, 'SIGINT');
    expect(pids).to.include((await crew.ask())[1]);
    expect(crew.pids()).to.deep.equal(pids);
  });

  it('replaces one that has closed its channel, and kills it when its grace is over', async () => {
    const crew = await fakeCrew({}, { grace: '100ms' });
    await crew.master.start();
    const [pid] = crew.pids();
    process.kill(pid!, 'SIGUSR2');
    await crew.until('worker:exit');
    await crew.settled(2, 1);
    expect(crew.lines('worker.retiring')[0]).to.include({ pid, reason: 'it closed its channel' });
    expect(crew.lines('worker.exit')[0]).to.include({ pid, signal: 'SIGKILL' });
  });

  it('goes on when no process can be started, and tries again', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const { execPath } = process;
    process.execPath = '/nonexistent/node';
    onEnd(() => {
      process.execPath = execPath;
    });
    const [survivor, victim] = crew.pids();
    process.kill(victim!, 'SIGKILL');
    await waitFor('a delay', () => crew.lines('worker.delayed').length > 0);
    process.execPath = execPath;
    expect(String(crew.lines('worker.exit').at(-1)!['error']))
      .to.contain('fork failed')
      .and.to.contain('ENOENT');
    await crew.settled(2, 1);
    expect(crew.pids()).to.include(survivor);
    expect(crew.lines('master.failed')).to.deep.equal([]);
  });

  it('scales up and down', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    await crew.master.scale(4);
    await crew.settled(4, 1);
    const oldest = crew.pids()[0];
    await crew.master.scale(1);
    await crew.settled(1, 1);
    expect(crew.pids()).to.deep.equal([oldest]);
    expect(crew.events.filter(([name]) => name === 'scale').map(([, change]) => change)).to.deep.equal([
      { from: 2, to: 4 },
      { from: 4, to: 1 },
    ]);
    for (const wrong of [0, 1.5, 1025, NaN])
      expect(await rejection(crew.master.scale(wrong))).to.include({ code: 'BAD_OPTION' });
  });

  for (const [how, behaviour, input] of [
    ['die', { boot: 'crash' }, {}],
    ['do not get ready', { boot: 'hang' }, { bootTimeout: '6s' }],
  ] as const) {
    it(`goes back to the number before when new workers ${how}, and says why`, async () => {
      const crew = await fakeCrew({ ...behaviour, goodBoots: 2 }, input);
      await crew.master.start();
      const before = crew.pids();
      const error = await rejection(crew.master.scale(4));
      expect(error).to.include({ code: 'SCALE_FAILED' });
      const reason = (error.cause as Error).message;
      expect(reason).to.include(how === 'die' ? 'out of luck' : 'bootTimeout');
      await crew.settled(2, 1);
      expect(crew.pids()).to.deep.equal(before);
      expect(crew.lines('scale.failed')).to.have.length(1);
      expect(crew.lines('scale.failed')[0]).to.include({ from: 2, to: 4, workers: 2, reason });
      expect(crew.events.find(([name]) => name === 'scale:failed')?.[1]).to.include({ from: 2, to: 4, error });
      // Nothing is owed: one that is killed now is replaced at once, and the number can be changed again.
      crew.behave({});
      const delays = crew.lines('worker.delayed').length;
      process.kill(before[0]!, 'SIGKILL');
      await crew.until('worker:exit', crew.events.filter(([name]) => name === 'worker:exit').length + 1);
      await crew.settled(2, 1);
      expect(crew.lines('worker.delayed')).to.have.length(delays);
      expect(await crew.master.scale(3)).to.include({ from: 2, to: 3 });
    });
  }

  it('reopens logs, its own and those of the workers', async () => {
    const crew = await fakeCrew({ reopened: '/dev/null' });
    const file = join(crew.folder, 'reopened');
    crew.behave({ reopened: file });
    await crew.master.start();
    crew.master.reopenLogs();
    await waitFor('both workers', () => {
      try {
        return readFileSync(file, 'utf8') === '..';
      } catch {
        return false;
      }
    });
    expect(crew.logger.reopened).to.equal(1);
    expect(crew.lines('logs.reopened')).to.have.length(1);
  });
});
