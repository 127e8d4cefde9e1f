import { expect } from 'chai';
import { crewOf, echo, expectUnnoticed, light, moreAnswers, onTwo, serve, underLoad } from './serving.ts';

describe('a storm of twenty HUPs', () => {
  it('ends with as many workers as wanted, all of the newest generation', async function () {
    const evy = await serve([...onTwo, echo]);
    const load = await underLoad(evy, light);
    for (let times = 1; times <= 20; times += 1) {
      evy.signal('SIGHUP');
      // Two that come at the same moment are one to the kernel.
      await evy.until('reload.started', { times });
    }
    expect(await evy.until('reload.done', { where: ({ generation }) => generation === 21 })).to.include({
      level: 'info',
    });
    await crewOf(evy, [21, 21]);
    const outcomes = [...evy.seen('reload.failed'), ...evy.seen('reload.done')].map(({ generation }) => generation);
    expect(outcomes).to.have.members(Array.from({ length: 20 }, (_, index) => index + 2));
    for (const failed of evy.seen('reload.failed')) expect(failed).to.include({ code: 'RELOAD_SUPERSEDED' });
    expect(evy.seen('reload.failed').length, 'superseded').to.be.greaterThan(0);
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
