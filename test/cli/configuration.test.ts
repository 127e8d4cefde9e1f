import { expect } from 'chai';
import { join } from 'node:path';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { readConfiguration } from '../../src/cli/configuration.ts';
import type { Environment } from '../../src/cli/environment.ts';
import { printedConfig } from '../../src/cli/print-config.ts';
import { optionNames } from '../../src/shared/options/names.ts';
import { resolveOptions } from '../../src/shared/options/resolve.ts';
import { tempFolder } from '../helpers/files.ts';

describe('configuration', () => {
  const read = (args: readonly string[], environment: Environment, folder: string) =>
    readConfiguration(parseCommandLine(args, folder), environment, folder);

  it('puts flags over variables over the file', async () => {
    const folder = await tempFolder({
      'evy.config.json': '{ "port": 1, "workers": 1, "grace": "1s", "app": "app.ts" }',
    });
    const { options, origins, configFile } = await read(['--port', '3'], { EVY_WORKERS: '2', PORT: '2' }, folder);
    expect(options).to.deep.include({
      port: 3,
      workers: { least: 2, most: 2 },
      graceMs: 1000,
      app: join(folder, 'app.ts'),
    });
    expect(configFile).to.equal(join(folder, 'evy.config.json'));
    expect(origins).to.include({ port: '--port', workers: 'EVY_WORKERS', grace: configFile, host: 'default' });
  });

  it('resolves paths of the file in its folder and those of flags where one is', async () => {
    const folder = await tempFolder({ 'etc/evy.json': '{ "app": "app.ts", "certfile": "cert.pem" }' });
    const { options } = await read(['-c', 'etc/evy.json', '--keyfile', 'key.pem'], {}, folder);
    expect(options).to.include({
      app: join(folder, 'etc/app.ts'),
      certfile: join(folder, 'etc/cert.pem'),
      keyfile: join(folder, 'key.pem'),
    });
  });

  it('names the file in what is wrong in it', async () => {
    const folder = await tempFolder({ 'evy.config.json': '{ "port": 99999 }' });
    const error: unknown = await read([], {}, folder).catch((thrown: unknown) => thrown);
    expect(error).to.include({
      code: 'BAD_OPTION',
      message: 'evy.config.json: port must be a whole number from 0 to 65535 (got 99999)',
    });
  });

  it('is printed with a line for each option', async () => {
    const folder = await tempFolder();
    const lines = printedConfig(await read(['app.ts', '--grace', '90'], { PORT: '1' }, folder))
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => line.split(' ', 1)[0])).to.deep.equal(optionNames);
    const line = (name: string) => lines.find((one) => one.startsWith(`${name} `))?.split(/ {2,}/);
    expect(line('app')).to.deep.equal(['app', join(folder, 'app.ts'), 'command line']);
    expect(line('port')).to.deep.equal(['port', '1', 'PORT']);
    expect(line('grace')).to.deep.equal(['grace', '90s', '--grace']);
    expect(line('unixMode')).to.deep.equal(['unixMode', '0666', 'default']);
    const columns = new Set(
      lines
        .filter((one) => !/^(logFormat|trustedHeaders) /.test(one)) // too long
        .map((one) => / {2}default$/.exec(one)?.index)
        .filter((index) => index !== undefined),
    );
    expect(columns.size, 'aligned').to.equal(1);
  });

  it('prints the same twice', () => {
    expect(printedConfig(resolveOptions([]))).to.equal(printedConfig(resolveOptions([])));
  });
});
