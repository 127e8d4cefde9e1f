import { expect } from 'chai';
import { answerOf, crewOf, echo, onTwo, serve } from './serving.ts';

describe('WINCH', () => {
  it('is said to come later, and changes nothing', async () => {
    const evy = await serve([...onTwo, echo]);
    const before = await crewOf(evy, [1, 1]);
    evy.signal('SIGWINCH');
    const line = await evy.until('signal.ignored', { where: ({ signal }) => signal === 'SIGWINCH' });
    expect(line.message).to.include('no effect');
    expect(await answerOf({ port: evy.port })).to.equal('echo');
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
