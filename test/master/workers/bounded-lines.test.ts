import { expect } from 'chai';
import { BoundedLines } from '../../../src/master/workers/bounded-lines.ts';

describe('lines of bounded length', () => {
  const text = 'one\n\ntwo\nthis one is too long\nthree\nso is this one\nf';

  it('are the same in whatever pieces they come', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const reader = new BoundedLines(8);
      const taken = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!.map((piece) => reader.push(piece));
      expect(taken.flatMap(({ lines }) => lines)).to.deep.equal(['one', '', 'two', 'three']);
      expect(taken.reduce((sum, { tooLong }) => sum + tooLong, 0)).to.equal(2);
      expect(reader.push('our\n').lines).to.deep.equal(['four']);
    }
  });

  it('are counted as soon as they are too long, once', () => {
    const reader = new BoundedLines(8);
    expect(reader.push('12345678').tooLong).to.equal(0);
    expect(reader.push('9').tooLong).to.equal(1);
    expect(reader.push('9'.repeat(100))).to.deep.equal({ lines: [], tooLong: 0 });
    expect(reader.push('\nend\n')).to.deep.equal({ lines: ['end'], tooLong: 0 });
  });
});
