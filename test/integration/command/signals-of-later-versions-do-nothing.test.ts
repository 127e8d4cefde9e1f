import { expect } from 'chai';
import { answerOf, crewOf, echo, onTwo, serve } from './serving.ts';

describe('USR2 and WINCH', () => {
  it('are said to come later, and change nothing', async () => {
    const evy = await serve([...onTwo, echo]);
    const before = await crewOf(evy, [1, 1]);
    for (const signal of ['SIGUSR2', 'SIGWINCH'] as const) {
      evy.signal(signal);
      const line = await evy.until('signal.ignored', { where: (ignored) => ignored.signal === signal });
      expect(line.message).to.include('later');
    }
    expect(await answerOf({ port: evy.port })).to.equal('echo');
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
