import { expect } from 'chai';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { flagName, flagOptions, isSwitch } from '../../src/shared/options/names.ts';
import type { OptionName } from '../../src/shared/options/table.ts';

describe('command line', () => {
  const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '), '/srv');
  const values = (line: string) =>
    Object.fromEntries([...parse(line).layer.settings].map(([name, { value }]) => [name, value]));
  const refused = (line: string, message: string | RegExp) =>
    expect(() => parse(line), line)
      .to.throw(message)
      .with.property('code', 'USAGE');

  it('takes the application and its middleware, with or without the word serve', () => {
    expect(values('app.ts')).to.deep.equal({ app: 'app.ts' });
    expect(values('serve app.ts')).to.deep.equal({ app: 'app.ts' });
    expect(values('app.ts:handler a.js b.js')).to.deep.equal({ app: 'app.ts:handler', middleware: ['a.js', 'b.js'] });
    expect(values('')).to.deep.equal({});
    expect(values('-- --odd.js')).to.deep.equal({ app: '--odd.js' });
  });

  it('takes flags before and after words', () => {
    expect(values('--port 80 app.ts --workers=2')).to.deep.equal({ port: '80', app: 'app.ts', workers: '2' });
    expect(values('-w4 -b :80 app.ts')).to.deep.equal({ workers: '4', bind: [':80'], app: 'app.ts' });
    expect(values('--access-log - app.ts')).to.deep.equal({ accessLog: '-', app: 'app.ts' });
    expect(values('--log-format=-x')).to.deep.equal({ logFormat: '-x' });
  });

  it('takes a flag for each option, and the name it was written with for messages', () => {
    for (const name of flagOptions) {
      const line = isSwitch(name) ? `--${flagName(name)}` : `--${flagName(name)} 1`;
      const setting = parse(line).layer.settings.get(name);
      expect(setting, name).to.include({ label: `--${flagName(name)}`, origin: `--${flagName(name)}`, folder: '/srv' });
    }
    expect(parse('-w 2').layer.settings.get('workers')).to.include({ label: '-w', origin: '--workers' });
  });

  it('turns switches on and off', () => {
    expect(values('--debug --no-log-x-forwarded-for')).to.deep.equal({ debug: true, logXForwardedFor: false });
    expect(values('--debug=off')).to.deep.equal({ debug: 'off' });
    expect(values('--debug app.ts'), 'takes no word').to.deep.equal({ debug: true, app: 'app.ts' });
  });

  it('collects what may be repeated, and takes the last of the rest', () => {
    expect(values('-b :80 --bind tls::443')).to.deep.equal({ bind: [':80', 'tls::443'] });
    expect(values('--port 1 --port 2')).to.deep.equal({ port: '2' });
  });

  it('tells what to do', () => {
    const action = (line: string) => parse(line).action;
    expect(action('app.ts')).to.equal('serve');
    expect(action('--print-config app.ts')).to.equal('print-config');
    expect(action('--check-config')).to.equal('check-config');
    for (const line of ['-h', '--help', 'app.ts --nonsense --help']) expect(action(line), line).to.equal('help');
    for (const line of ['-v', '--version']) expect(action(line), line).to.equal('version');
    expect(parse('-c x.json').configFile).to.equal('x.json');
    expect(parse('app.ts').configFile).to.equal(undefined);
  });

  it('refuses what it does not know and says what was meant', () => {
    refused('--prot 80', 'unknown flag --prot; did you mean --port?');
    refused('--workres=2', 'unknown flag --workres; did you mean --workers?');
    refused('--grcae 2 app.ts', 'did you mean --grace?');
    refused('--colourful', 'unknown flag --colourful; evy --help lists all flags');
    refused('-x', 'unknown flag -x; evy --help lists all flags');
    refused('--environ {}', /^unknown flag --environ/);
    refused('--app a.ts', /^unknown flag --app/);
    refused('--__proto__', /^unknown flag --__proto__/);
  });

  it('refuses a flag without its value', () => {
    refused('--port', '--port must have a value, as in --port PORT');
    refused('--port --workers 2', '--port must have a value, as in --port PORT');
    refused('app.ts -b', '-b must have a value, as in --bind ADDRESS');
    refused('--config', '--config must have a value, as in --config FILE');
    refused('--no-debug=1', "--no-debug must not have a value (got '1')");
    refused('--version=1', "--version must not have a value (got '1')");
  });

  it('takes no harm from names of Object.prototype', () => {
    const names: OptionName[] = [...parse('app.ts').layer.settings.keys()];
    expect(names).to.deep.equal(['app']);
    refused('--constructor', /^unknown flag --constructor/);
    refused('--no-port', /^unknown flag --no-port/);
  });
});
