import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { descriptorStatusOf, isSocketDescriptor, linkStatusOf, statusOf } from '../../src/shared/file-status.ts';
import { projectRoot, tempFolder } from '../helpers/files.ts';

describe('the status of a file', () => {
  it('is that of the file, of the link, or of the descriptor', async () => {
    const folder = await tempFolder({ file: 'text' });
    await symlink('file', join(folder, 'link'));
    expect(statusOf(join(folder, 'link'))?.isFile()).to.equal(true);
    expect(linkStatusOf(join(folder, 'link'))?.isSymbolicLink()).to.equal(true);
    expect(statusOf(join(folder, 'nothing'))).to.equal(undefined);
    expect(linkStatusOf(join(folder, 'nothing'))).to.equal(undefined);
    const fd = openSync(join(folder, 'file'), 'r');
    expect(descriptorStatusOf(fd).size).to.equal(4n);
    expect(isSocketDescriptor(fd)).to.equal(false);
    closeSync(fd);
    expect(() => descriptorStatusOf(fd)).to.throw('EBADF');
    expect(isSocketDescriptor(fd)).to.equal(false);
  });

  it('of a pipe leaves realpathSync() as it was', async () => {
    const folder = await tempFolder({ 'real/file': '' });
    await symlink('real', join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const fd = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
    descriptorStatusOf(fd);
    statusOf(join(folder, 'pipe'));
    linkStatusOf(join(folder, 'pipe'));
    expect(realpathSync(join(folder, 'link', 'file'))).to.equal(join(folder, 'real', 'file'));
    closeSync(fd);
  });

  it('is asked for in one place only', () => {
    const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const asking = sources.filter((path) => /\b[fl]?statSync\b/.test(readFileSync(path, 'utf8')));
    expect(asking.map((path) => path.slice(path.lastIndexOf('/') + 1))).to.deep.equal(['file-status.ts']);
  });
});
