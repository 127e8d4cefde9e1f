import { expect } from 'chai';
import { commandText, nativeBlock, threadState } from '../../../src/worker/watchdog/native-block.ts';

describe('a main thread outside of JavaScript', () => {
  it('computes or waits, whatever it is called', () => {
    expect(threadState('123 (evy worker) R 1 1 1')).to.equal('computing');
    expect(threadState('123 (a) R (b) S 1 1 1')).to.equal('waiting');
    expect(threadState('123 (node) D 1 1 1')).to.equal('waiting');
  });

  it('shows its child processes as a shell would have them', () => {
    expect(commandText('/bin/sh\0-c\0sleep 60\0')).to.equal('/bin/sh -c sleep 60');
    expect(commandText('')).to.equal('');
    expect(commandText('x'.repeat(5000))).to.have.length(200);
  });

  it('is found in /proc where there is one', () => {
    // Asked by the main thread itself, which computes that very moment.
    if (process.platform === 'linux') expect(nativeBlock()!.state).to.equal('computing');
    else expect(nativeBlock()).to.equal(undefined);
  });
});
