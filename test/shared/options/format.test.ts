import { expect } from 'chai';
import { defaultText, formatOption } from '../../../src/shared/options/format.ts';
import { optionKey, optionNames, optionRow } from '../../../src/shared/options/names.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import type { Options } from '../../../src/shared/options/table.ts';

describe('option format', () => {
  it('writes a value as one would write it', () => {
    expect(formatOption('grace', 90_000)).to.equal('90s');
    expect(formatOption('grace', 1500)).to.equal('1500ms');
    expect(formatOption('maxHead', 65_536)).to.equal('64KiB');
    expect(formatOption('unixMode', 0o660)).to.equal('0660');
    expect(formatOption('port', 8080)).to.equal('8080');
    expect(formatOption('workers', { least: 4, most: 4 })).to.equal('4');
    expect(formatOption('workers', { least: 2, most: 8 })).to.equal('2..8');
    expect(formatOption('debug', false)).to.equal('false');
    expect(formatOption('bind', [':80', 'unix:/a b'])).to.equal(":80, 'unix:/a b'");
    expect(formatOption('bind', [])).to.equal('none');
    expect(formatOption('environ', { a: 1 })).to.equal('{"a":1}');
    expect(formatOption('pidfile', '')).to.equal('none');
    expect(formatOption('logFormat', "it's")).to.equal(String.raw`'it\'s'`);
  });

  it('writes what reads back as the same value', () => {
    const options = resolveInput({});
    for (const name of optionNames) {
      const value = options[optionKey(name) as keyof Options];
      const text = formatOption(name, value);
      if (text === 'none' || typeof value === 'object' || name === 'logFormat') continue;
      expect(optionRow(name).schema.parse(text), name).to.deep.equal(value);
    }
  });

  it('shows the same default on every machine', () => {
    expect(defaultText('workers')).to.equal('the available cores');
    expect(defaultText('grace')).to.equal('30s');
  });
});
