import { expect } from 'chai';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { sendSignal } from '../../helpers/processes.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, application, crewOf, onTwo, serve, type Worker } from './serving.ts';

const stuckMs = 2_000;
const args = [...onTwo, application('blocks'), '--stuck-timeout', '2s'];

/** Time itself is waited for here: longer than a worker may be stuck. */
async function longEnough(): Promise<void> {
  const fromMs = performance.now();
  await waitFor('twice stuckTimeout', () => performance.now() - fromMs > 2 * stuckMs);
}

describe('a process that was stopped and continued', () => {
  let evy: EvyProcess;
  let before: Worker[];
  beforeEach(async () => {
    evy = await serve(args);
    before = await crewOf(evy, [1, 1]);
  });
  /** Everybody that was there is, and answers. */
  async function expectNobodyKilled(): Promise<void> {
    const pids = new Set<string>();
    await waitFor('answers of both', async () => pids.add(await answerOf({ port: evy.port })).size === 2);
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    for (const event of ['worker.stuck', 'worker.killed', 'worker.exit']) expect(evy.seen(event)).to.deep.equal([]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  }

  it('is told of and not killed, if it is a worker', async function () {
    const { pid } = before[0]!;
    process.kill(pid, 'SIGSTOP');
    const silent = await evy.until('worker.silent', { where: (line) => line['pid'] === pid });
    expect(silent.message).to.include('not killed');
    await longEnough();
    expect(evy.seen('worker.silent')).to.have.length(1);
    process.kill(pid, 'SIGCONT');
    const heard = await evy.until('worker.heard', { where: (line) => line['pid'] === pid });
    expect(heard.quietMs).to.be.at.least(stuckMs);
    await expectNobodyKilled();
  });

  it('kills nobody, if it is the master', async function () {
    evy.signal('SIGSTOP');
    await longEnough();
    expect(await answerOf({ port: evy.port })).to.match(/^\d+$/);
    evy.signal('SIGCONT');
    evy.signal('SIGUSR1');
    // It has read what its workers said meanwhile.
    await evy.until('logs.reopened');
    await expectNobodyKilled();
    expect(evy.seen('worker.silent')).to.deep.equal([]);
  });

  it('is nothing at all, if it is all of them: a machine asleep', async function () {
    sendSignal(-evy.pid, 'SIGSTOP');
    await longEnough();
    sendSignal(-evy.pid, 'SIGCONT');
    evy.signal('SIGUSR1');
    await evy.until('logs.reopened');
    await expectNobodyKilled();
    expect(evy.seen('worker.silent')).to.deep.equal([]);
  });
});
