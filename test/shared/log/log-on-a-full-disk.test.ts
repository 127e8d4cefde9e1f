import { existsSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LogDestination } from '../../../src/shared/log/log-destination.ts';
import { createLogger } from '../../../src/shared/log/log.ts';
import { readText, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A disk with room for so many bytes. */
async function disk(room: number) {
  const path = join(await tempFolder(), 'log');
  const lost: number[] = [];
  const state = { room, error: 'ENOSPC', refusals: 0 };
  const write = (fd: number, bytes: Buffer): number => {
    const taken = Math.min(bytes.length, state.room);
    if (taken === 0 && bytes.length > 0) {
      state.refusals += 1;
      throw Object.assign(new Error(state.error), { code: state.error });
    }
    state.room -= taken;
    return writeSync(fd, bytes, 0, taken);
  };
  const destination = new LogDestination(path, (lines) => void lost.push(lines), write);
  return { path, lost, state, destination, text: () => readText(path) };
}

describe('a log on a full disk', () => {
  it('throws nothing, keeps 256 KiB, counts what is beyond, and goes on when there is room', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const folder = await tempFolder();
    const file = join(folder, 'log');
    symlinkSync('/dev/full', file);
    const logger = createLogger({ level: 'info', style: 'json', file });
    const message = 'm'.repeat(10_000);
    for (let index = 0; index < 1_000; index += 1) logger.error('app.failed', { index, message });
    rmSync(file);
    logger.reopen();
    const lines = (await readText(file)).trimEnd().split('\n');
    const written = lines.map((line) => JSON.parse(line) as { event: string; index?: number; lines?: number });
    const told = written.pop()!;
    expect(written.map(({ index }) => index)).to.deep.equal(written.map((_, index) => index));
    expect(written.length).to.be.within(20, 26);
    expect(told).to.include({ event: 'log.lost', lines: 1_000 - written.length });
  });

  for (const error of ['ENOSPC', 'EDQUOT']) {
    it(`(${error}) tries again by itself, and completes the line that was torn`, async () => {
      const { state, destination, lost, text } = await disk(8);
      state.error = error;
      for (const line of ['first\n', 'second\n', 'third\n']) destination.write(line);
      expect(await text()).to.equal('first\nse');
      state.room = 1_000;
      await waitFor('the rest', async () => (await text()) === 'first\nsecond\nthird\n');
      expect(lost).to.deep.equal([]);
    });
  }

  it('ends a torn line whose rest is lost', async () => {
    const { state, destination, lost, text } = await disk(8);
    for (const line of ['first\n', 'second\n']) destination.write(line);
    state.error = 'EIO';
    state.refusals = 0;
    await waitFor('the next attempt', () => state.refusals > 0);
    state.room = 1_000;
    destination.write('third\n');
    expect(await text()).to.equal('first\nse\nthird\n');
    expect(lost).to.deep.equal([1]);
  });

  it('writes a torn line anew into a new file', async () => {
    const { path, state, destination, text } = await disk(8);
    for (const line of ['first\n', 'second\n', 'third\n']) destination.write(line);
    rmSync(path);
    state.room = 0;
    destination.reopen();
    state.room = 1_000;
    await waitFor('both', async () => (await text()) === 'second\nthird\n');
  });
});
