import { expect } from 'chai';
import { Operations } from '../../../src/master/outcomes/operations.ts';

const words = (moved: number, drained: number, cut: number) => ({ moved, drained, closed: 2 * cut, cut });

describe('an operation', () => {
  it('is over when it sends away no more and the last one has gone, in either order', () => {
    const operations = new Operations();
    const over: string[] = [];
    const early = operations.begin();
    early.sent(1);
    operations.gone(1, words(1, 2, 3));
    expect(over).to.deep.equal([]);
    operations.conclude(early, () => over.push('early'));
    expect(over).to.deep.equal(['early']);
    const late = operations.begin();
    late.sent(2);
    late.sent(3);
    operations.conclude(late, () => over.push('late'));
    operations.gone(2, words(1, 0, 0));
    expect(late.leaving).to.equal(1);
    operations.gone(3, words(1, 1, 1));
    expect(over).to.deep.equal(['early', 'late']);
    expect(late.departures).to.deep.equal(words(2, 1, 1));
  });

  it('counts only those that it sent away, each once', () => {
    const operations = new Operations();
    const one = operations.begin();
    const other = operations.begin();
    one.sent(1);
    other.sent(1);
    other.sent(2);
    operations.gone(1, words(1, 0, 0));
    operations.gone(1, words(1, 0, 0));
    operations.gone(2, words(0, 1, 0));
    operations.gone(3, words(9, 9, 9));
    expect(one.departures).to.deep.equal(words(1, 0, 0));
    expect(other.departures).to.deep.equal(words(1, 1, 0));
  });
});
