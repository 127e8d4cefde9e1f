import { expect } from 'chai';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findConfigFile, readConfigFile } from '../../src/cli/config-file.ts';
import { EvyError } from '../../src/shared/errors.ts';
import { userStackOf } from '../../src/shared/user-error.ts';
import { tempFolder } from '../helpers/files.ts';

async function read(name: string, text: string, timeoutMs?: number): Promise<Record<string, unknown>> {
  const folder = await tempFolder({ [name]: text });
  const layer = await readConfigFile(join(folder, name), process.cwd(), timeoutMs);
  return Object.fromEntries([...layer.settings].map(([option, { value }]) => [option, value]));
}

async function refused(name: string, text: string, message: RegExp, timeoutMs?: number): Promise<EvyError> {
  const error: unknown = await read(name, text, timeoutMs).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(EvyError).with.property('code', 'BAD_CONFIG');
  expect((error as EvyError).message).to.match(message);
  return error as EvyError;
}

describe('configuration file', () => {
  describe('is found', () => {
    const found = async (files: readonly string[], named?: string): Promise<string | undefined> => {
      const folder = await tempFolder(Object.fromEntries(files.map((name) => [name, ''])));
      return findConfigFile(named, folder)?.replace(`${folder}/`, '');
    };

    it('in the working directory, by its name', async () => {
      for (const name of ['evy.config.js', 'evy.config.mjs', 'evy.config.ts', 'evy.config.json'])
        expect(await found([name])).to.equal(name);
      expect(await found(['evy.config.yaml'])).to.equal(undefined);
    });

    it('where --config says', async () => {
      expect(await found(['evy.config.js', 'etc/other.json'], 'etc/other.json')).to.equal('etc/other.json');
    });

    it('in the real folder behind a link, which it keeps when the link moves on', async () => {
      const folder = await tempFolder({ 'one/evy.config.json': '', 'two/evy.config.json': '', 'shared/evy.json': '' });
      await symlink('one', join(folder, 'current'));
      expect(findConfigFile(undefined, join(folder, 'current'))).to.equal(join(folder, 'one/evy.config.json'));
      expect(findConfigFile('current/evy.config.json', folder)).to.equal(join(folder, 'one/evy.config.json'));
      // A file that is a link itself belongs to where it is linked.
      await symlink('../shared/evy.json', join(folder, 'one/linked.json'));
      expect(findConfigFile('current/linked.json', folder)).to.equal(join(folder, 'one/linked.json'));
    });

    it('or it is said why not', async () => {
      const failure = async (files: readonly string[], named?: string): Promise<unknown> =>
        found(files, named).catch((error: unknown) => error);
      const two = (await failure(['evy.config.js', 'evy.config.ts'])) as Error;
      expect(two).to.include({ code: 'BAD_CONFIG' });
      expect(two.message).to.match(
        /^evy\.config\.js and evy\.config\.ts are both in .+: keep one, or name one with --config$/,
      );
      expect(await failure([], 'x.json')).to.include({
        code: 'BAD_CONFIG',
        message: '--config x.json: this file does not exist',
      });
      expect(await failure(['etc/x.json'], 'etc')).to.include({ message: '--config etc: this file does not exist' });
    });
  });

  describe('is read', () => {
    it('as a module that exports an object, or a function that gives one', async () => {
      expect(await read('evy.config.mjs', 'export default { port: 1 };')).to.deep.equal({ port: 1 });
      expect(
        await read('evy.config.mjs', 'export default async () => ({ port: await Promise.resolve(2) });'),
      ).to.deep.equal({ port: 2 });
      expect(await read('evy.config.cjs', 'module.exports = { port: 3, bind: undefined };')).to.deep.equal({ port: 3 });
      expect(await read('evy.config.cjs', 'exports.__esModule = true; exports.default = { port: 4 };')).to.deep.equal({
        port: 4,
      });
    });

    it('as TypeScript', async () => {
      expect(await read('evy.config.mts', 'const port: number = 5; export default { port };')).to.deep.equal({
        port: 5,
      });
    });

    it('as JSON', async () => {
      expect(await read('evy.config.json', '{ "port": 6, "environ": { "a": [1] } }')).to.deep.equal({
        port: 6,
        environ: { a: [1] },
      });
    });

    it('anew each time, with what it imports', async () => {
      const folder = await tempFolder({
        'evy.config.mjs': "export { default } from './port.mjs';",
        'port.mjs': 'export default { port: 1 };',
      });
      const port = async (): Promise<unknown> =>
        (await readConfigFile(join(folder, 'evy.config.mjs'))).settings.get('port')?.value;
      expect(await port()).to.equal(1);
      await writeFile(join(folder, 'port.mjs'), 'export default { port: 2 };');
      expect(await port()).to.equal(2);
    });

    it('although it leaves timers running', async () => {
      expect(await read('evy.config.mjs', 'setInterval(() => {}, 1000); export default {};')).to.deep.equal({});
    });

    it('with labels and paths that belong to the file', async () => {
      const folder = await tempFolder({ 'evy.config.json': '{ "app": "app.ts" }' });
      const path = join(folder, 'evy.config.json');
      const layer = await readConfigFile(path);
      expect(layer.kind).to.equal('file');
      expect(layer.settings.get('app')).to.deep.equal({
        value: 'app.ts',
        label: 'evy.config.json: app',
        origin: path,
        folder,
      });
    });
  });

  describe('is refused', () => {
    it('with an unknown option, and the one that was meant', async () => {
      await refused(
        'evy.config.json',
        '{ "prot": 1 }',
        /^evy\.config\.json: prot is not an option; did you mean port\?$/,
      );
    });

    it('when it holds no object', async () => {
      await refused('evy.config.json', '[]', /evy\.config\.json must hold an object with options \(got .+\)$/);
      await refused('evy.config.mjs', 'export default 1;', /must hold an object with options \(got a number\)/);
      await refused(
        'evy.config.mjs',
        'export const port = 1;',
        /must have a default export: an object with options, or a function that returns one$/,
      );
    });

    it('when its JSON is broken, with the place', async () => {
      await refused(
        'evy.config.json',
        '{\n  "port": 1,\n}',
        /evy\.config\.json must be JSON: [A-Z][^()]+ \(line 3, column 1\)$/,
      );
      await refused(
        'evy.config.json',
        '{ "port": ',
        /must be JSON: Unexpected end of JSON input \(line 1, column 11\)$/,
      );
      await refused('evy.config.json', '', /must be JSON: .+ \(line 1, column 1/);
    });

    it('with what is no plain data, and where that is', async () => {
      await refused(
        'evy.config.mjs',
        'export default { app: () => [] };',
        /evy\.config\.mjs must hold plain data, .* \(app is a function\)/,
      );
      await refused('evy.config.mjs', 'export default { environ: { a: [new Map()] } };', /\(environ\.a\.0 is a Map\)$/);
      await refused(
        'evy.config.mjs',
        'const a = {}; a.a = a; export default { environ: a };',
        /\(environ\.a refers to itself\)$/,
      );
    });

    it("when it throws, with the user's own stack", async () => {
      const error = await refused(
        'evy.config.mjs',
        "\nthrow new TypeError('no key');",
        /evy\.config\.mjs failed to load: no key$/,
      );
      expect(userStackOf(error)).to.match(/^TypeError: no key\n\s+at .*evy\.config\.mjs:2:7$/);
      const late = await refused(
        'evy.config.mjs',
        "export default async () => { throw new Error('late'); };",
        /failed to load: late$/,
      );
      expect(userStackOf(late)).to.include('evy.config.mjs:1');
    });

    it('when it sends what Node reserves for itself, and nothing it sends is taken for the answer', async () => {
      const send = (message: string) => `process.send(${message}); await new Promise((go) => setTimeout(go, 100));`;
      for (const message of ["{ cmd: 'NODE_HANDLE_ACK' }", "{ cmd: 'NODE_CLUSTER', act: 'queryServer' }"])
        await refused('evy.config.mjs', `${send(message)} export default {};`, /reserves for itself/);
      for (const message of ['7', "{ type: 'failed' }", "{ type: 'failed', code: 'constructor', message: '' }"])
        expect(await read('evy.config.mjs', `${send(message)} export default { workers: 3 };`)).to.have.all.keys(
          'workers',
        );
    });

    it('when it never ends, ends its process, or waits for nothing', async () => {
      await refused(
        'evy.config.mjs',
        'setInterval(() => {}, 1000); await new Promise(() => {});',
        /did not give its options within 1 s$/,
        1000,
      );
      await refused('evy.config.mjs', 'process.exit(7);', /gave no options: it ended its own process \(exit code 7\)$/);
      await refused('evy.config.mjs', 'await new Promise(() => {});', /it awaits a promise that is never settled$/);
    });
  });
});
