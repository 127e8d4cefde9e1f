import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EvyError } from '../../src/shared/errors.ts';
import { headline, loadError, userStack, userStackOf } from '../../src/shared/user-error.ts';
import { tempFolder } from '../helpers/files.ts';

describe('errors of user code', () => {
  it('shows the frames of the user alone', () => {
    const stack = [
      'Error: boom',
      '    at file:///srv/app.js:3:9',
      '    at ModuleJob.run (node:internal/modules/esm/module_job:343:25)',
      '    at async importModule (file:///opt/evy/dist/worker/process/load-application.js:30:17)',
      '    at fetch (/opt/evy/dist/worker/x.js:1:1)',
    ].join('\n');
    expect(userStack(stack, '/opt/evy/dist/')).to.equal('Error: boom\n    at file:///srv/app.js:3:9');
  });

  it('keeps lines of a message that only look like frames of Node', () => {
    expect(userStack('Error: see node:fs\n  in node:fs', '/opt/')).to.equal('Error: see node:fs\n  in node:fs');
  });

  it('shows causes', () => {
    const error = loadError(new Error('outer', { cause: new Error('inner') }), '/srv/app.js');
    expect(error.stack).to.match(/^Error: outer\n[^]*caused by: Error: inner/);
  });

  it('takes whatever was thrown', () => {
    expect(loadError('just text', '/srv/app.js').stack).to.equal('a value that is no Error was thrown: just text');
    expect(loadError(undefined, '/srv/app.js').message).to.include('undefined');
  });

  it('shows where a syntax error is, in what the module imports too, without running anything', async () => {
    const folder = await tempFolder({
      'package.json': '{"type":"module"}',
      'app.js': "import './first.js'; import './broken.js';",
      'first.js': "import { writeFileSync } from 'node:fs'; writeFileSync(new URL('./ran', import.meta.url), '');",
      'broken.js': 'const one = 1;\nconst two = ;\n',
    });
    const path = join(folder, 'app.js');
    const thrown: unknown = await import(path).catch((error: unknown) => error);
    const { stack } = loadError(thrown, path);
    expect(stack).to.match(/broken\.js:2/);
    expect(stack).to.include('const two = ;');
    expect(existsSync(join(folder, 'ran')), 'the application ran').to.equal(false);
  });

  it('has a headline of one line', () => {
    expect(headline(new Error('a\nb'))).to.equal('a');
    expect(headline(new Error('Transform failed with 1 error:\n/srv/a.ts:1:2: ERROR: x\n'))).to.equal(
      'Transform failed with 1 error: /srv/a.ts:1:2: ERROR: x',
    );
  });

  it('finds the stack in an error of evy that is about user code', () => {
    const cause = new Error('boom');
    cause.stack = 'Error: boom\n    at /srv/app.js:1:1\n    at node:internal/x:1:1';
    const shown = 'Error: boom\n    at /srv/app.js:1:1';
    const load = new EvyError('APP_LOAD_FAILED', 'x', { cause });
    expect(userStackOf(load)).to.equal(shown);
    expect(userStackOf(new EvyError('WORKERS_CANNOT_BOOT', 'x', { cause: load }))).to.equal(shown);
    expect(userStackOf(new EvyError('ADDRESS_IN_USE', 'x', { cause }))).to.equal(undefined);
    expect(userStackOf(new EvyError('BAD_CONFIG', 'x'))).to.equal(undefined);
  });
});
