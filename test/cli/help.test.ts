import { expect } from 'chai';
import { commandFlags } from '../../src/cli/command-line.ts';
import { helpText } from '../../src/cli/help.ts';
import { flagName, flagOptions, isSwitch } from '../../src/shared/options/names.ts';
import { optionGroups } from '../../src/shared/options/table.ts';

describe('help', () => {
  const lines = helpText().split('\n');

  it('shows each flag once', () => {
    for (const name of flagOptions) {
      const flag = isSwitch(name) ? `--[no-]${flagName(name)}` : `--${flagName(name)}`;
      const names = new RegExp(`^  (-\\w, )?${flag.replace(/[[\]]/g, String.raw`\$&`)}( |$)`);
      expect(
        lines.filter((line) => names.test(line)),
        name,
      ).to.have.length(1);
    }
    for (const { name } of commandFlags) expect(helpText()).to.include(`--${name}`);
  });

  it('shows each group, the short flags, and what platforms set', () => {
    for (const heading of Object.values(optionGroups)) expect(lines).to.include(`${heading}:`);
    for (const text of ['-b, --bind ADDRESS', '-w, --workers N', '-c, --config FILE', '-h, --help', '-v, --version'])
      expect(helpText()).to.include(text);
    expect(helpText()).to.include('$PORT').and.to.include('$WEB_CONCURRENCY').and.to.include('HUP');
  });

  it('fits a terminal', () => {
    for (const line of lines) expect(line.length, line).to.be.at.most(100);
  });
});
