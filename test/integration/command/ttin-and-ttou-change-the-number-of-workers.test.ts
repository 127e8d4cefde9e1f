import { expect } from 'chai';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { crewOf, echo, expectUnnoticed, moreAnswers, onTwo, reload, serve, underLoad } from './serving.ts';

async function scaleBy(evy: EvyProcess, signal: 'SIGTTIN' | 'SIGTTOU'): Promise<unknown> {
  const times = evy.seen('scale').length + 1;
  evy.signal(signal);
  return (await evy.until('scale', { times })).workers;
}

describe('TTIN and TTOU under load', () => {
  it('start and retire workers without losing a request, and keep one at least', async function () {
    const evy = await serve([...onTwo, echo]);
    const load = await underLoad(evy, { keepAlive: 20, reconnecting: 4, paceMs: 10 });
    expect(await scaleBy(evy, 'SIGTTIN')).to.equal(3);
    expect(await scaleBy(evy, 'SIGTTIN')).to.equal(4);
    await crewOf(evy, [1, 1, 1, 1]);
    await moreAnswers(load);
    expect(await scaleBy(evy, 'SIGTTOU')).to.equal(3);
    expect(await scaleBy(evy, 'SIGTTOU')).to.equal(2);
    expect(await scaleBy(evy, 'SIGTTOU')).to.equal(1);
    expect(await scaleBy(evy, 'SIGTTOU')).to.equal(1);
    await crewOf(evy, [1]);
    await moreAnswers(load);
    // Set by hand, it stays over a reload whose configuration has not changed.
    await reload(evy);
    await crewOf(evy, [2]);
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
