import { expect } from 'chai';
import * as fc from 'fast-check';
import { listMembers, trimBlanks } from '../../../src/worker/http/field-lines.ts';

describe('lists in field values', () => {
  it('have their members without the blanks around them, and no empty ones', () => {
    expect(listMembers(' a ,\tb\t,, ,c d,')).to.deep.equal(['a', 'b', 'c d']);
    expect(listMembers('')).to.deep.equal([]);
    expect(listMembers('\xa0')).to.deep.equal(['\xa0']);
  });

  it('are trimmed as a regular expression would', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ \ta,]{0,12}$/), (text) => {
        expect(trimBlanks(text)).to.equal(text.replace(/^[ \t]+|[ \t]+$/g, ''));
      }),
      { seed: 7 },
    );
  });

  it('are read in a time that grows with their length, whatever they are made of', () => {
    // With a quadratic reading these would take an hour.
    for (const run of [' ', '\t', ',', ', ', '" ']) {
      for (let times = 0; times < 100; times += 1) listMembers(`a${run.repeat(65_536)}b`);
    }
  });
});
