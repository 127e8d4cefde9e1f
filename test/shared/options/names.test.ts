import { expect } from 'chai';
import {
  flagName,
  flagOptions,
  isList,
  isSwitch,
  optionKey,
  optionNames,
  optionRow,
  variableNames,
} from '../../../src/shared/options/names.ts';

describe('option names', () => {
  it('derives flag, variables and key from the name of the row', () => {
    expect(flagName('maxHead')).to.equal('max-head');
    expect(flagName('logXForwardedFor')).to.equal('log-x-forwarded-for');
    expect(variableNames('maxHead')).to.deep.equal(['EVY_MAX_HEAD']);
    expect(variableNames('port')).to.deep.equal(['EVY_PORT', 'PORT']);
    expect(variableNames('environ'), 'only in a file').to.deep.equal([]);
    expect(optionKey('grace')).to.equal('graceMs');
    expect(optionKey('port')).to.equal('port');
  });

  it('knows switches and lists by their defaults', () => {
    expect(optionNames.filter(isSwitch)).to.include.members(['debug', 'logXForwardedFor']);
    const lists = [
      'bind',
      'middleware',
      'warmup',
      'accessLogSkip',
      'trustedProxies',
      'trustedHeaders',
      'proxyProtocol',
      'healthPaths',
    ];
    expect(optionNames.filter(isList)).to.have.members([...lists, 'allowedHosts']);
    expect(flagOptions).not.to.include.members(['app', 'middleware', 'environ']);
  });

  it('has no two options with one flag, variable, short flag or key', () => {
    const distinct = (names: readonly unknown[]) => expect(new Set(names).size, String(names)).to.equal(names.length);
    distinct(optionNames.map(flagName));
    distinct(optionNames.flatMap(variableNames));
    distinct(optionNames.map(optionKey));
    distinct(optionNames.map((name) => optionRow(name).short).filter((short) => short !== undefined));
  });

  it('has rows whose defaults pass their own check', () => {
    for (const name of optionNames) {
      const row = optionRow(name);
      // A default is in the unit of the code: milliseconds, where the check takes seconds.
      if (row.unit === 'seconds') continue;
      expect(row.schema.parse(row.default), name).to.deep.equal(row.default);
    }
  });

  it('shows the value of each flag that takes one', () => {
    for (const name of flagOptions) expect(optionRow(name).placeholder === undefined, name).to.equal(isSwitch(name));
  });
});
