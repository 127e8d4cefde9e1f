import { expect } from 'chai';
import { connectionsWithin, openFilesLimit } from '../../../src/worker/accepting/descriptor-watch.ts';

describe('connectionsWithin', () => {
  it('takes what is wanted where there are descriptors for it, or nothing is known of them', () => {
    expect(connectionsWithin(10_000, 1_048_576)).to.equal(10_000);
    expect(connectionsWithin(10_000, undefined)).to.equal(10_000);
  });

  it('leaves a tenth of the descriptors to others, at least 64, or a quarter where there are few', () => {
    expect(connectionsWithin(10_000, 10_000)).to.equal(9000);
    expect(connectionsWithin(10_000, 256)).to.equal(192);
    expect(connectionsWithin(10_000, 50)).to.equal(37);
    expect(connectionsWithin(10_000, 64)).to.equal(48);
    expect(connectionsWithin(10_000, 1)).to.equal(1);
  });
});

describe('openFilesLimit', () => {
  it('reads the limit of this process', function () {
    if (process.platform !== 'linux') this.skip();
    expect(openFilesLimit()).to.be.above(64);
  });
});
