import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { LogDestination } from '../../../src/shared/log/log-destination.ts';
import { createLogger } from '../../../src/shared/log/log.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { readText, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const line = `${'x'.repeat(999)}\n`;

/** A pipe with a name, and what reads of it what is there. */
async function pipe() {
  const path = join(await tempFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onEnd(() => closeSync(fd));
  const bytes = Buffer.alloc(1 << 20);
  const read = (): string => {
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes));
    } catch {
      return '';
    }
  };
  return { path, read };
}

describe('where log lines go', () => {
  it('takes a line at once', async () => {
    const { path, read } = await pipe();
    new LogDestination(path, () => {}).write('a line\n');
    expect(read()).to.equal('a line\n');
  });

  it('does not wait for a reader: lines wait up to a limit, in order, and what is lost is counted', async () => {
    const { path, read } = await pipe();
    const lost: number[] = [];
    const destination = new LogDestination(path, (lines) => void lost.push(lines));
    destination.write('first\n');
    for (let count = 0; count < 1000; count += 1) destination.write(line);
    expect(lost).to.deep.equal([]);
    let all = '';
    await waitFor('what waited', () => {
      all += read();
      return lost.length > 0;
    });
    all += read();
    expect(all.startsWith('first\nx')).to.equal(true);
    expect(all.slice(6)).to.equal(line.repeat(1000 - lost[0]!));
    expect(1000 - lost[0]!, '64 KiB in the pipe and 256 in memory').to.be.within(300, 330);
    destination.write('again\n');
    expect(read()).to.equal('again\n');
  });

  it('tells in the log how many lines were lost', async () => {
    const { path, read } = await pipe();
    const log = createLogger({ level: 'info', style: 'json', file: path });
    for (let count = 0; count < 5000; count += 1) log.info('request.refused', { code: 'BAD_HOST' });
    let all = '';
    await waitFor('the line', () => (all += read()).includes('log.lost'));
    const lines = all.trimEnd().split('\n');
    const told = JSON.parse(lines.at(-1)!) as { lines: number };
    expect(told.lines + lines.length - 1).to.equal(5000);
  });

  it('is a new file of the same name after a reopening', async () => {
    const path = join(await tempFolder(), 'log');
    const destination = new LogDestination(path, () => {});
    destination.write('old\n');
    renameSync(path, `${path}.1`);
    destination.reopen();
    destination.write('new\n');
    expect([await readText(`${path}.1`), await readText(path)]).to.deep.equal(['old\n', 'new\n']);
  });
});
