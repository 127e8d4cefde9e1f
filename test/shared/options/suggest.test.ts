import { expect } from 'chai';
import { didYouMean, editDistance, suggest } from '../../../src/shared/options/suggest.ts';

describe('suggest', () => {
  const known = ['port', 'workers', 'maxHead', 'maxHeaders', 'host'];

  it('counts inserted, dropped, changed and swapped letters', () => {
    expect(editDistance('port', 'port')).to.equal(0);
    expect(editDistance('port', 'prt')).to.equal(1);
    expect(editDistance('port', 'pport')).to.equal(1);
    expect(editDistance('port', 'part')).to.equal(1);
    expect(editDistance('port', 'prot')).to.equal(1);
    expect(editDistance('', 'port')).to.equal(4);
  });

  it('finds the nearest word, whatever its case and separators', () => {
    expect(suggest('wrokers', known)).to.equal('workers');
    expect(suggest('MAX_HEAD', known)).to.equal('maxHead');
    expect(suggest('max-headers', known)).to.equal('maxHeaders');
  });

  it('finds the one word that begins like it', () => {
    expect(suggest('work', known)).to.equal('workers');
    expect(suggest('max', known)).to.equal(undefined);
  });

  it('is silent when all words are far', () => {
    expect(suggest('certificate', known)).to.equal(undefined);
    expect(didYouMean('certificate', known)).to.equal('');
    expect(didYouMean('wrkers', known)).to.equal('; did you mean workers?');
  });
});
