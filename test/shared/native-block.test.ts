import { expect } from 'chai';
import { commandText, isBlocked, mainThreadUse, nativeBlock, threadState } from '../../src/shared/native-block.ts';

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

  it('is blocked when it waits, or computes, but not when it is stopped or gets no processor', () => {
    const before = { state: 'S', ticks: 10 };
    expect(isBlocked(before, { state: 'R', ticks: 500 })).to.equal(true);
    expect(isBlocked(before, { state: 'S', ticks: 10 })).to.equal(true);
    expect(isBlocked(before, { state: 'D', ticks: 10 })).to.equal(true);
    expect(isBlocked(before, { state: 'R', ticks: 10 })).to.equal(false);
    for (const state of ['T', 't', 'Z', 'X']) expect(isBlocked(before, { state, ticks: 10 })).to.equal(false);
    expect(isBlocked(before, undefined)).to.equal(false);
    expect(isBlocked(undefined, before)).to.equal(false);
  });

  it('has used so much processor time', function () {
    if (process.platform !== 'linux') this.skip();
    const { ticks, state } = mainThreadUse(process.pid)!;
    expect(ticks).to.be.at.least(1);
    expect(state).to.equal('R');
    expect(mainThreadUse(0)).to.equal(undefined);
  });
});
