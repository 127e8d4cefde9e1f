import { expect } from 'chai';
import { Cancellation } from '../../../src/worker/request/cancellation.ts';

describe('Cancellation', () => {
  it('aborts the signal and calls back, once, for the first reason', () => {
    const cancellation = new Cancellation();
    const called: string[] = [];
    cancellation.onAbort(() => called.push('early'));
    const { signal } = cancellation;
    expect(signal.aborted).to.equal(false);
    const first = new Error('the deadline');
    cancellation.abort(first);
    cancellation.abort(new Error('the client left'));
    expect(signal.reason).to.equal(first);
    cancellation.onAbort(() => called.push('late'));
    expect(called).to.deep.equal(['early', 'late']);
  });

  it('has its reason when it is looked at afterwards', () => {
    const cancellation = new Cancellation();
    const reason = new Error('the client left');
    cancellation.abort(reason);
    expect(cancellation.signal.reason).to.equal(reason);
    expect(cancellation.signal).to.equal(cancellation.signal);
  });
});
