import { expect } from 'chai';
import { crewOf, echo, moreAnswers, onTwo, serve, underLoad } from './serving.ts';

describe('kill -9 of all workers at once under load', () => {
  it('refuses no connection and harms those only that the killed processes had', async function () {
    this.timeout(40_000);
    const connections = { keepAlive: 50, reconnecting: 4 };
    const evy = await serve([...onTwo, echo]);
    const before = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, connections);
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
