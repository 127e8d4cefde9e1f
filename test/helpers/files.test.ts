import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { fixture, readText, tempFolder } from './files.ts';

describe('tempFolder', () => {
  let last = '';
  it('holds the files that it was given', async () => {
    last = await tempFolder({ 'a.txt': 'one', 'deep/er/b.txt': Buffer.from('two') });
    expect(await readText(join(last, 'a.txt'))).to.equal('one');
    expect(await readText(join(last, 'deep/er/b.txt'))).to.equal('two');
  });
  it('is gone after its test', () => {
    expect(existsSync(last)).to.equal(false);
  });
});

describe('fixture', () => {
  it('is an absolute path in test/fixtures', () => {
    expect(existsSync(fixture('tls', 'README.md'))).to.equal(true);
  });
});
