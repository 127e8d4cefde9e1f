import { expect } from 'chai';
import { Opening } from '../../../src/master/workers/accepting.ts';

describe('the opening of a master', () => {
  it('lets those accept who waited for it, once, and from then on everybody at once', () => {
    const opening = new Opening(false);
    const accepted: string[] = [];
    opening.whenOpen(() => accepted.push('first'));
    opening.whenOpen(() => accepted.push('second'));
    expect([opening.isOpen, accepted]).to.deep.equal([false, []]);
    opening.open();
    opening.open();
    expect([opening.isOpen, accepted]).to.deep.equal([true, ['first', 'second']]);
    opening.whenOpen(() => accepted.push('later'));
    expect(accepted).to.deep.equal(['first', 'second', 'later']);
  });

  it('is there from the beginning where no other master serves', () => {
    expect(new Opening(true).isOpen).to.equal(true);
  });
});
