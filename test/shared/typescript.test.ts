import { expect } from 'chai';
import { planTypeScript, typeScriptHint } from '../../src/shared/typescript.ts';

describe('TypeScript', () => {
  const plan = (path: string, native: unknown, nodeFlags = '') => planTypeScript(path, { native, nodeFlags });

  it('leaves JavaScript alone', () => {
    for (const file of ['/a.js', '/a.mjs', '/a.cjs', '/a.json']) expect(plan(file, 'strip'), file).to.equal('none');
  });

  it('takes what Node can do itself', () => {
    for (const file of ['/a.ts', '/a.mts', '/a.cts']) expect(plan(file, 'strip'), file).to.equal('native');
    expect(plan('/a.ts', 'transform')).to.equal('native');
  });

  it('takes tsx where Node strips no types', () => {
    expect(plan('/a.ts', undefined), 'Node 20').to.equal('tsx');
    expect(plan('/a.ts', false), 'switched off').to.equal('tsx');
    expect(plan('/srv/node_modules/a/index.ts', 'strip'), 'Node refuses').to.equal('tsx');
  });

  it('leaves it to a loader that Node was started with', () => {
    expect(plan('/a.ts', undefined, '--import=tsx')).to.equal('none');
    expect(
      plan('/a.ts', undefined, '--require /x/tsx/dist/preflight.cjs --import file:///x/tsx/dist/loader.mjs'),
    ).to.equal('none');
    expect(plan('/a.ts', undefined, '--enable-source-maps')).to.equal('tsx');
  });

  it('says what helps when stripping is not enough', () => {
    const unsupported = { code: 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' };
    expect(typeScriptHint('native', unsupported)).to.include("NODE_OPTIONS='--import tsx'");
    expect(typeScriptHint('tsx', unsupported)).to.equal('');
    expect(typeScriptHint('native', new Error('boom'))).to.equal('');
    expect(typeScriptHint('native', undefined)).to.equal('');
  });
});
