import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { waitFor } from '../../helpers/wait-for.ts';
import { crewOf, echo, moreAnswers, onTwo, serve, underLoad } from './serving.ts';

/** Whether a signal has stopped the process: proc_pid_stat(5), the word behind the name. */
const isStopped = (pid: number): boolean => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

describe('kill -9 of all workers at once under load', () => {
  it('refuses no connection and harms those only that the killed processes had', async function () {
    const connections = { keepAlive: 50, reconnecting: 4 };
    const evy = await serve([...onTwo, echo]);
    const before = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, connections);
    // Stopped first: one that goes on while the other dies would take clients of that one, and harm them a second time.
    for (const { pid } of before) process.kill(pid, 'SIGSTOP');
    await waitFor('both stopped', () => before.every(({ pid }) => isStopped(pid)));
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    for (const { pid } of before) {
      expect(await evy.until('worker.exit', { where: (line) => line.pid === pid })).to.include({ signal: 'SIGKILL' });
    }
    await evy.until('worker.ready', { times: 4 });
    const after = await crewOf(evy, [1, 1]);
    expect(after.map(({ pid }) => pid)).to.not.have.members(before.map(({ pid }) => pid));
    // Once they are all back, nothing more goes wrong.
    const back = await moreAnswers(load, 500);
    const result = await load.stop();
    expect(result).to.include({ refused: 0, unanswered: 0, wrong: 0, non200: 0 });
    const harmed = result.failed + result.closedIdle;
    expect(harmed, result.examples.join('\n')).to.be.greaterThan(0).and.to.be.at.most(54);
    expect(result.failed + result.closedIdle).to.equal(back.failed + back.closedIdle);
    for (const { pid } of after) expect(result.seen[pid]).to.be.greaterThan(0);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
