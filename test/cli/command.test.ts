/** The built command in a process of its own: what a person sees who starts it with something that is wrong. */
import { expect } from 'chai';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { certfile, otherKeyfile } from '../helpers/certificates.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { projectRoot, tempFolder, writeFiles } from '../helpers/files.ts';
import { runEvy, type RunOptions } from '../helpers/run-evy.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Ended {
  code: number | null;
  /** what is no log line */
  text: string;
}

async function end(args: readonly string[], options: RunOptions): Promise<Ended> {
  const evy = runEvy(args, options);
  const { code } = await evy.exit;
  const lines = evy.output().split('\n');
  return { code, text: lines.filter((line) => !line.startsWith('{"level"')).join('\n') };
}

const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);

describe('the built command', () => {
  const applications = {
    'app.mjs': "export default (env, start) => { start('200 OK', []); return ['hello']; };",
    'seven.mjs': 'export default 7;',
    'boom.mjs': "\nthrow new TypeError('boom');",
    'app.ts':
      "export default (env: object, start: (...args: unknown[]) => void) => { start('200 OK', []); return ['typed']; };",
  };
  const oneLine = ({ text }: Ended): void => {
    expect(text.trim().split('\n'), text).to.have.length(1);
    expect(text)
      .to.match(/^evy: /)
      .and.not.to.match(/\n\s+at /);
  };

  it('says in one line what is wrong with the command line, and ends with 2', async () => {
    const cwd = await tempFolder(applications);
    const ended = await end(['--prot', '80', 'app.mjs'], { cwd });
    expect(ended.code).to.equal(2);
    oneLine(ended);
    expect(
      (await end(['--certfile', certfile, '--keyfile', otherKeyfile, '--port', '0', 'app.mjs'], { cwd })).code,
    ).to.equal(2);
  });

  it('says in one line why it cannot listen, and ends with 3', async () => {
    const cwd = await tempFolder(applications);
    const server = createServer().listen(0, '127.0.0.1');
    onEnd(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ended = await end(['--port', String(port), 'app.mjs'], { cwd });
    expect(ended.code).to.equal(3);
    oneLine(ended);
    expect(ended.text).to.include(`--port ${port}`);
  });

  it('says in one line which export is no application, and ends with 4', async () => {
    const cwd = await tempFolder(applications);
    const ended = await end(['-w', '1', '--port', '0', 'seven.mjs'], { cwd });
    expect(ended.code).to.equal(4);
    oneLine(ended);
    expect(ended.text).to.match(/seven\.mjs:default is a number; with --interface auto it must be/);
  });

  it("shows the application's own stack trace when it does not load, and ends with 4", async () => {
    const cwd = await tempFolder(applications);
    const { code, text } = await end(['-w', '1', '--port', '0', 'boom.mjs'], { cwd });
    expect(code).to.equal(4);
    expect(text).to.match(/^evy: .*boom\.mjs failed to load: boom\n\nTypeError: boom\n\s+at .*boom\.mjs:2:7\n$/);
  });

  it('runs a TypeScript application, with tsx where Node cannot, or says what is missing', async () => {
    const cwd = await tempFolder({ ...applications, 'node_modules/.keep': '' });
    const args = ['-w', '1', '--port', '0', 'app.ts'];
    if (!stripsTypes) {
      const ended = await end(args, { cwd });
      expect(ended.code).to.equal(4);
      oneLine(ended);
      expect(ended.text).to.match(/app\.ts is TypeScript, .*npm install tsx/);
      await symlink(join(projectRoot, 'node_modules/tsx'), join(cwd, 'node_modules/tsx'));
    }
    const evy = runEvy(args, { cwd });
    await evy.until('master.ready');
    expect(await (await fetch(evy.url)).text()).to.equal('typed');
    expect(await evy.stop()).to.include({ code: 0 });
  });

  it('says on a terminal where it serves, and how to reload and stop it', async () => {
    const cwd = await tempFolder({
      ...applications,
      'evy.config.mjs': "export default { app: 'app.mjs', port: 0, workers: 1 };",
    });
    const evy = runEvy([], { cwd, logStyle: 'human', env: { EVY_WORKRES: '7' } });
    await waitFor('the banner', () => evy.output('stdout').includes('kill -HUP'));
    expect(await evy.stop('SIGINT')).to.include({ code: 0 });
    expect(evy.output('stdout')).to.match(/evy serves on http:\/\/127\.0\.0\.1:\d+\/ with 1 worker\n/);
    expect(evy.output('stdout')).to.include(`kill -HUP ${evy.pid}`);
    expect(evy.output('stderr')).to.match(/option\.ignored variable=EVY_WORKRES message=".*EVY_WORKERS\?"/);
  });

  it('serves with the new configuration after a reload, and with the old one when that is wrong', async () => {
    const cwd = await tempFolder({
      ...applications,
      'evy.config.json': '{ "app": "app.mjs", "port": 0, "workers": 1 }',
    });
    const evy = runEvy([], { cwd });
    await evy.until('master.ready');
    await writeFiles(cwd, { 'evy.config.json': '{ "app": "seven.mjs", "workers": "many" }' });
    evy.signal('SIGHUP');
    await evy.until('reload.failed');
    expect(await (await fetch(evy.url, { headers: { connection: 'close' } })).text()).to.equal('hello');
    await writeFiles(cwd, {
      'evy.config.json': '{ "app": "new.mjs", "workers": 1 }',
      'new.mjs': applications['app.mjs'].replace('hello', 'new'),
    });
    evy.signal('SIGHUP');
    await evy.until('reload.done');
    expect(await (await fetch(evy.url, { headers: { connection: 'close' } })).text()).to.equal('new');
    expect(await evy.stop()).to.include({ code: 0 });
  });
});
