import { realpathSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { logicalDirectory, parseModule, resolveRelease } from '../../../src/master/generations/release.ts';
import { tempFolder } from '../../helpers/files.ts';
import { rejection } from '../helpers/fake-crew.ts';

const release = (folder: string, app: string, middleware: string[] = []) =>
  resolveRelease({ app, middleware, interface: 'auto' }, folder);

describe('a release', () => {
  it('is path and export', () => {
    expect(parseModule('app/main.js')).to.deep.equal({ path: 'app/main.js' });
    expect(parseModule('app/main:handler')).to.deep.equal({ path: 'app/main', exportName: 'handler' });
    expect(parseModule('/a:b/main.js')).to.deep.equal({ path: '/a:b/main.js' });
    expect(parseModule('file:///a/main.js:$app_1')).to.deep.equal({ path: 'file:///a/main.js', exportName: '$app_1' });
  });

  it('is found with or without its ending, in a folder, or by URL', async () => {
    const folder = realpathSync(await tempFolder({ 'a.ts': '', 'b/index.mjs': '', 'c.cjs': '', 'd:e': '' }));
    const found = async (app: string) => (await release(folder, app)).app;
    expect(await found('a')).to.deep.equal({ path: join(folder, 'a.ts'), exportName: undefined });
    expect(await found('a.ts:x')).to.deep.equal({ path: join(folder, 'a.ts'), exportName: 'x' });
    expect((await found('./b')).path).to.equal(join(folder, 'b/index.mjs'));
    expect((await found(pathToFileURL(join(folder, 'c')).href)).path).to.equal(join(folder, 'c.cjs'));
    const { middleware } = await release(folder, 'a', ['c:one', 'b']);
    expect(middleware).to.deep.equal([
      { path: join(folder, 'c.cjs'), exportName: 'one' },
      { path: join(folder, 'b/index.mjs'), exportName: undefined },
    ]);
  });

  it('is named when it is not there', async () => {
    const folder = await tempFolder({ 'a.js': '' });
    expect(await rejection(release(folder, 'x:app'))).to.include({ code: 'APP_NOT_FOUND', exitCode: 4 });
    expect((await rejection(release(folder, 'a', ['nowhere']))).message).to.contain('middleware nowhere');
    expect(await rejection(release(folder, ''))).to.include({ code: 'USAGE' });
  });

  it('is a real path: a link that moves on changes only the next one', async () => {
    const folder = realpathSync(await tempFolder({ '1/app.js': '', '2/app.js': '' }));
    symlinkSync('1', join(folder, 'current'));
    const first = await release(folder, 'current/app');
    symlinkSync('2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    const second = await release(folder, 'current/app');
    expect([first.app.path, second.app.path]).to.deep.equal([join(folder, '1/app.js'), join(folder, '2/app.js')]);
  });

  it('is relative to the working directory as the shell has it', async () => {
    const folder = realpathSync(await tempFolder({ '1/app.js': '' }));
    symlinkSync('1', join(folder, 'current'));
    const real = join(folder, '1');
    expect(logicalDirectory({ PWD: join(folder, 'current') }, real)).to.equal(join(folder, 'current'));
    expect(logicalDirectory({ PWD: folder }, real)).to.equal(real);
    expect(logicalDirectory({ PWD: join(folder, 'nowhere') }, real)).to.equal(real);
    expect(logicalDirectory({}, real)).to.equal(real);
  });
});
