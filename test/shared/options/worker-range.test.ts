import { expect } from 'chai';
import { clampToRange, formatWorkerRange, parseWorkerRange } from '../../../src/shared/options/worker-range.ts';

describe('a range of workers', () => {
  const cases: Array<[text: string, range: [least: number, most: number] | undefined]> = [
    ['1', [1, 1]],
    ['4', [4, 4]],
    ['2..8', [2, 8]],
    ['3..3', [3, 3]],
    ['1..1024', [1, 1024]],
    ['0', undefined],
    ['0..2', undefined],
    ['8..2', undefined],
    ['1025', undefined],
    ['1..1025', undefined],
    ['2..', undefined],
    ['..2', undefined],
    ['2-8', undefined],
    ['2...8', undefined],
    [' 2', undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['', undefined],
  ];
  for (const [text, range] of cases) {
    it(`'${text}' is ${range === undefined ? 'none' : range.join(' to ')}`, () => {
      expect(parseWorkerRange(text)).to.deep.equal(range && { least: range[0], most: range[1] });
    });
  }

  it('is written as it is read', () => {
    for (const text of ['4', '2..8']) expect(formatWorkerRange(parseWorkerRange(text)!)).to.equal(text);
  });

  it('draws a number in', () => {
    const range = { least: 2, most: 8 };
    expect([1, 2, 5, 8, 9].map((workers) => clampToRange(workers, range))).to.deep.equal([2, 2, 5, 8, 8]);
  });
});
