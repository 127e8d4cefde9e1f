import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { removePidfile, tellMainPid, writePidfile } from '../../src/master/pidfile.ts';
import { tempFolder } from '../helpers/files.ts';

async function notifier(script: string): Promise<{ program: string; folder: string }> {
  const folder = await tempFolder();
  const program = join(folder, 'notify');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return { program, folder };
}

describe('the main process, to a service manager', () => {
  it('is told by its tool', async () => {
    const { program, folder } = await notifier('echo "$@" > "$(dirname "$0")/told"');
    expect(await tellMainPid(42, { NOTIFY_SOCKET: '/run/notify' }, program)).to.equal(undefined);
    expect(await readFile(join(folder, 'told'), 'utf8')).to.equal('MAINPID=42\n');
  });

  it('is told to nobody when there is none', async () => {
    const { program, folder } = await notifier('touch "$(dirname "$0")/told"');
    expect(await tellMainPid(42, {}, program)).to.equal(undefined);
    expect(await readFile(join(folder, 'told'), 'utf8').catch(() => 'not told')).to.equal('not told');
  });

  it('may not come to be told, which is said', async () => {
    const { program } = await notifier('exit 1');
    expect(await tellMainPid(42, { NOTIFY_SOCKET: '/x' }, program)).to.include(program);
    expect(await tellMainPid(42, { NOTIFY_SOCKET: '/x' }, '/no/such/tool')).to.include('ENOENT');
  });
});

describe('the pid file', () => {
  it('is taken from a living process only by the one that takes its place', async () => {
    const path = join(await tempFolder(), 'pid');
    const other = process.ppid;
    writeFileSync(path, `${other}\n`);
    expect(() => writePidfile(path, 42)).to.throw(`the file names process ${other}, which is running`);
    expect(() => writePidfile(path, 42, other + 1)).to.throw(`the file names process ${other}, which is running`);
    writePidfile(path, 42, other);
    expect(readFileSync(path, 'utf8')).to.equal('42\n');
    removePidfile(path, other);
    expect(existsSync(path)).to.equal(true);
  });

  it('is removed only while it is ours', async () => {
    const path = join(await tempFolder(), 'pid');
    writePidfile(path, 42);
    expect(readFileSync(path, 'utf8')).to.equal('42\n');
    writeFileSync(path, '43\n');
    removePidfile(path, 42);
    expect(existsSync(path)).to.equal(true);
    removePidfile(path, 43);
    expect(existsSync(path)).to.equal(false);
    removePidfile(path, 43);
  });

  it('is an option to change when it cannot be written', () => {
    expect(() => writePidfile('/nonexistent/pid'))
      .to.throw('--pidfile /nonexistent/pid')
      .and.to.include({ code: 'BAD_OPTION' });
  });
});
