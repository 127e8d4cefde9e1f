import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import { HeldSignals } from '../../src/shared/held-signals.ts';
import { certfile, keyfile, otherKeyfile } from '../helpers/certificates.ts';
import { projectRoot, readText, tempFolder } from '../helpers/files.ts';

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

async function say(
  args: readonly string[],
  folder = '/',
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const code = await main(args, {
    environment,
    folder,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    interactive: false,
    signals: new HeldSignals(new EventEmitter()),
  });
  return { code, stdout, stderr };
}

describe('the command', () => {
  it('shows its help, even beside nonsense', async () => {
    const { code, stdout, stderr } = await say(['--nonsense', '-h']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^Usage: evy \[serve\] \[flags\] APP \[MIDDLEWARE\.\.\.\]\n/);
  });

  it('shows the versions of itself and of Node', async () => {
    const { version } = JSON.parse(await readText(join(projectRoot, 'package.json'))) as { version: string };
    expect((await say(['--version'])).stdout).to.equal(`evy ${version} (Node ${process.versions.node})\n`);
  });

  it('prints its configuration, with an application or without', async () => {
    const { code, stdout } = await say(['--print-config', '--port', '1'], '/srv', { EVY_WORKERS: '3' });
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^port +1 +--port$/m)
      .and.to.match(/^workers +3 +EVY_WORKERS$/m);
    expect(stdout).to.match(/^app +none +default$/m);
  });

  it('checks its configuration', async () => {
    const folder = await tempFolder({
      'app.ts': 'this is not even a program',
      'evy.config.json': '{ "app": "app.ts" }',
    });
    expect(await say(['--check-config'], folder)).to.deep.equal({
      code: 0,
      stdout: 'the configuration is valid\n',
      stderr: '',
    });
    const withTls = ['--check-config', '--bind', 'tls::0', '--certfile', certfile];
    expect((await say([...withTls, '--keyfile', keyfile], folder)).code).to.equal(0);
    const mismatch = await say([...withTls, '--keyfile', otherKeyfile], folder);
    expect(mismatch).to.include({ code: 2, stdout: '' });
    expect(mismatch.stderr).to.match(
      /^evy: --certfile .* and --keyfile .*: the key is not that of the certificate .*\n$/,
    );
  });

  it('refuses what is wrong in one line, before it serves anything', async () => {
    const folder = await tempFolder({ 'app.js': '', 'bad.json': '{', 'odd.json': '{ "prot": 1 }' });
    const refused = async (line: string, code: number, text: RegExp): Promise<void> => {
      const said = await say(line.split(' '), folder);
      expect(said, line).to.include({ code, stdout: '' });
      expect(said.stderr, line).to.match(text);
      expect(said.stderr.trimEnd().split('\n'), line).to.have.length(1);
    };
    await refused('--prot 80 app.js', 2, /^evy: unknown flag --prot; did you mean --port\?\n$/);
    await refused('--port 99999 app.js', 2, /^evy: --port must be a whole number from 0 to 65535 \(got '99999'\)\n$/);
    await refused('--bind :80 --port 80 app.js', 2, /^evy: --bind and --port both set the address/);
    await refused('-c none.json app.js', 2, /^evy: --config none\.json: this file does not exist\n$/);
    await refused('-c bad.json app.js', 2, /^evy: .*bad\.json must be JSON: .+ \(line 1, column 2/);
    await refused('-c odd.json app.js', 2, /^evy: odd\.json: prot is not an option; did you mean port\?\n$/);
    await refused('--check-config --bind 1.2.3.4 app.js', 2, /^evy: --bind 1\.2\.3\.4: /);
    await refused(
      '--check-config --host [nonsense app.js',
      2,
      /^evy: --host must be a host name or an address \(got '\[nonsense'\)/,
    );
    await refused('--check-config', 2, /^evy: the application is missing: name it/);
    await refused('--check-config ap.js', 4, /^evy: application .*ap\.js: this module does not exist/);
  });
});
