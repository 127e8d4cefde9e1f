import { expect } from 'chai';
import { join } from 'node:path';
import type { Environ } from '../../../src/shared/application.ts';
import { EvyError, type ErrorCode } from '../../../src/shared/errors.ts';
import { userStackOf } from '../../../src/shared/user-error.ts';
import { loadRelease } from '../../../src/worker/process/load-application.ts';
import type { LoadedApplication } from '../../../src/worker/process/load-application.ts';
import { tempFolder } from '../../helpers/files.ts';

interface Source {
  file?: string;
  source: string;
  exportName?: string;
  middleware?: readonly string[];
  interface?: 'auto' | 'wsgi' | 'fetch' | 'node';
}

async function load({
  file = 'app.mjs',
  source,
  exportName,
  middleware = [],
  interface: kind = 'auto',
}: Source): Promise<LoadedApplication> {
  const others = Object.fromEntries(middleware.map((text, index) => [`middleware-${index}.mjs`, text]));
  const folder = await tempFolder({ [file]: source, ...others });
  return loadRelease({
    app: { path: join(folder, file), exportName },
    middleware: Object.keys(others).map((name) => ({ path: join(folder, name) })),
    interface: kind,
  });
}

async function refused(source: Source, code: ErrorCode, message: RegExp): Promise<EvyError> {
  const error: unknown = await load(source).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(EvyError);
  expect(error).to.have.property('code', code);
  expect((error as EvyError).message).to.match(message);
  return error as EvyError;
}

async function bodyOf(loaded: LoadedApplication): Promise<unknown> {
  if (loaded.interface !== 'wsgi') throw new Error(`${loaded.interface} application`);
  return loaded.app({} as Environ, () => () => {});
}

describe('loading an application', () => {
  it('takes the default export', async () => {
    expect(await bodyOf(await load({ source: "export default () => ['hello'];" }))).to.deep.equal(['hello']);
  });

  it('takes the export that is named', async () => {
    const source = "export default () => ['no']; export const handler = () => ['yes'];";
    expect(await bodyOf(await load({ source, exportName: 'handler' }))).to.deep.equal(['yes']);
  });

  it('takes CommonJS', async () => {
    expect(await bodyOf(await load({ file: 'app.cjs', source: "module.exports = () => ['cjs'];" }))).to.deep.equal([
      'cjs',
    ]);
    expect(await bodyOf(await load({ file: 'app.cjs', source: "exports.app = () => ['named'];" }))).to.deep.equal([
      'named',
    ]);
    const transpiled = "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = () => ['ts'];";
    expect(await bodyOf(await load({ file: 'app.cjs', source: transpiled }))).to.deep.equal(['ts']);
  });

  it('waits for top-level await, and for an export that is a promise', async () => {
    const source = "const text = await Promise.resolve('later'); export default Promise.resolve(() => [text]);";
    expect(await bodyOf(await load({ source }))).to.deep.equal(['later']);
  });

  it('tells fetch and node applications', async () => {
    expect((await load({ source: 'export default { fetch: () => new Response() };' })).interface).to.equal('fetch');
    expect((await load({ source: 'export default (req, res, next) => {};' })).interface).to.equal('node');
    expect((await load({ source: 'export default (req, res) => {};', interface: 'node' })).interface).to.equal('node');
  });

  it('applies middleware in order, the first innermost', async () => {
    const wrap = (name: string) => `async (app) => (env, start) => ['${name}(', ...app(env, start), ')']`;
    const middleware = [`export default ${wrap('a')}`, `export const middleware = ${wrap('b')}`];
    expect(await bodyOf(await load({ source: "export default () => ['app'];", middleware }))).to.deep.equal([
      'b(',
      'a(',
      'app',
      ')',
      ')',
    ]);
  });

  it('says what a module exports instead', async () => {
    await refused(
      { source: 'export const a = 1, b = 2;' },
      'APP_NOT_FOUND',
      /app\.mjs has none of the exports default, application, app; it exports a, b$/,
    );
    await refused(
      { source: 'export const a = 1;', exportName: 'app' },
      'APP_NOT_FOUND',
      /app\.mjs has no export app; it exports a$/,
    );
    await refused({ source: '' }, 'APP_NOT_FOUND', /it exports nothing$/);
  });

  it('says what an export is that is no application', async () => {
    await refused(
      { source: 'export default { a: 1 };' },
      'APP_NOT_CALLABLE',
      /app\.mjs:default is an object with a; with --interface auto it must be/,
    );
    await refused(
      { source: 'export default () => [];', interface: 'wsgi', middleware: ['export default 7'] },
      'APP_NOT_CALLABLE',
      /middleware .*0\.mjs:default is a number/,
    );
    await refused(
      { source: 'export default () => [];', middleware: ['export default () => 7'] },
      'APP_NOT_CALLABLE',
      /what middleware middleware-0\.mjs returned is a number; with --interface wsgi it must be/,
    );
  });

  it("shows the application's own error with its own frames", async () => {
    const error = await refused(
      { source: "\n\nthrow new TypeError('boom');" },
      'APP_LOAD_FAILED',
      /app\.mjs failed to load: boom$/,
    );
    const stack = userStackOf(error);
    expect(stack).to.match(/^TypeError: boom\n\s+at .*app\.mjs:3:7/);
    expect(stack).not.to.match(/node:internal|src\/worker/);
    await refused(
      { source: "export default Promise.reject(new Error('late'));" },
      'APP_LOAD_FAILED',
      /its export is a promise that was rejected: late$/,
    );
    await refused({ source: "throw 'text';" }, 'APP_LOAD_FAILED', /a value that is no Error was thrown: text/);
    const middleware = ["export default () => { throw new Error('wrap'); }"];
    await refused({ source: 'export default () => [];', middleware }, 'APP_LOAD_FAILED', /middleware .* failed: wrap$/);
  });

  it('shows where a syntax error is', async () => {
    const error = await refused(
      { source: 'const one = 1;\nconst two = ;' },
      'APP_LOAD_FAILED',
      /app\.mjs failed to load:/,
    );
    expect(userStackOf(error)).to.match(/app\.mjs:2/);
  });

  it('says what a missing import is', async () => {
    const error = await refused(
      { source: "import './nothing.js';" },
      'APP_LOAD_FAILED',
      /failed to load: Cannot find module .*nothing\.js/,
    );
    expect(userStackOf(error)).to.include('app.mjs');
  });

  it('says that the file went away', async () => {
    const error: unknown = await loadRelease({ app: { path: '/nothing.js' }, middleware: [], interface: 'auto' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('code', 'APP_NOT_FOUND');
  });
});
