import { expect } from 'chai';
import { enclose, fromMaster, fromWorker } from '../../../src/shared/protocol/messages.ts';

describe('messages', () => {
  it('come out of their envelope on the right side only', () => {
    const drain = { type: 'drain', graceMs: 1, idle: 'keep' } as const;
    expect(fromMaster(enclose(drain))).to.deep.equal(drain);
    expect(fromWorker(enclose(drain))).to.equal(undefined);
    expect(fromWorker(enclose({ type: 'ready', interface: 'wsgi' }))).to.deep.equal({
      type: 'ready',
      interface: 'wsgi',
    });
  });

  it('are not taken for ours without it, nor with a type that there is not', () => {
    for (const value of [
      undefined,
      null,
      'ready',
      7,
      { type: 'ready', interface: 'wsgi' },
      { evy: null },
      { evy: {} },
      { evy: { type: 'x' } },
    ]) {
      expect(fromWorker(value)).to.equal(undefined);
      expect(fromMaster(value)).to.equal(undefined);
    }
  });
});
