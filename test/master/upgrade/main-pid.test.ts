import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tellMainPid } from '../../../src/master/upgrade/main-pid.ts';
import { tempFolder } from '../../helpers/files.ts';

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
