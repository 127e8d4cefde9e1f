import { join } from 'node:path';
import { expect } from 'chai';
import { readEnvFile } from '../../../src/master/generations/env-file.ts';
import { tempFolder } from '../../helpers/files.ts';
import { rejection } from '../helpers/fake-crew.ts';

describe('the file with variables', () => {
  it('adds what the environment does not have', async () => {
    const text = '# comment\nA=1\nexport B="two words"\nC=\'$A\'\n\nEMPTY=\n';
    const path = join(await tempFolder({ '.env': text }), '.env');
    expect(await readEnvFile(path, {})).to.deep.equal({ A: '1', B: 'two words', C: '$A', EMPTY: '' });
    expect(await readEnvFile(path, { A: 'mine', EMPTY: '', other: 'x' })).to.deep.equal({ B: 'two words', C: '$A' });
  });

  it('is none when none is named', async () => {
    expect(await readEnvFile('', {})).to.deep.equal({});
  });

  it('is named when it cannot be read', async () => {
    expect(await rejection(readEnvFile('/nonexistent/.env', {}))).to.include({
      code: 'BAD_OPTION',
      message: 'option envFile: the file /nonexistent/.env cannot be read (ENOENT)',
    });
  });
});
