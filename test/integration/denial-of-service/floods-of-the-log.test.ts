import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { connect as connectNet } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { linesPerSecond } from '../../../src/shared/log/log-budget.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { echo, serve } from '../command/serving.ts';
import { get } from './victim.ts';

const refusals = 480;

/** Until it takes nothing more. */
function fill(pipe: string): void {
  const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    closeSync(fd);
  }
}

async function isListening(path: string): Promise<boolean> {
  const socket = connectNet({ path });
  return once(socket, 'connect').then(
    () => (socket.destroy(), true),
    () => false,
  );
}

describe('denial of service by floods of the log', () => {
  it('refusals do not freeze a worker whose standard error is a full pipe that nobody reads', async () => {
    const folder = await tempFolder();
    const [pipe, path] = [join(folder, 'stderr'), join(folder, 'socket')];
    execFileSync('mkfifo', [pipe]);
    const stderr = openSync(pipe, constants.O_RDWR);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    onEnd(() => [stderr, reader].forEach((fd) => closeSync(fd)));
    const evy = runEvy([echo, '--bind', `unix:${path}`, '--workers', '1'], { stderr });
    await waitFor('the server', () => isListening(path));
    fill(pipe);
    for (let count = 0; count < refusals; count += 1) {
      const client = await connect({ path });
      expect((await client.request('X\r\n\r\n')).status).to.equal(400);
      client.close();
    }
    expect((await (await connect({ path })).request(get())).status).to.equal(200);
    // The last words come out as soon as somebody reads, and a stop waits for nobody.
    const stopped = evy.stop();
    let text = '';
    const bytes = Buffer.alloc(1 << 17);
    await waitFor('the last words', () => {
      try {
        text += bytes.toString('latin1', 0, readSync(reader, bytes));
      } catch {
        // nothing there
      }
      return text.includes('master.stopped');
    });
    expect((await stopped).code).to.equal(0);
    expect(text).to.include('"suppressed":');
  });

  it('refusals of a second have a few lines, and one that tells of the others', async () => {
    const evy = await serve([echo, '--port', '0', '--workers', '1']);
    for (let count = 0; count < refusals; count += 1) {
      const client = await connect(evy);
      await client.request('X\r\n\r\n');
      client.close();
    }
    const where = { code: 'BAD_REQUEST_LINE' };
    await waitFor('the count', () => {
      const lines = evy.seen('request.refused', ({ code }) => code === where.code);
      const told = lines.reduce((sum, { suppressed }) => sum + (suppressed === undefined ? 1 : Number(suppressed)), 0);
      return told === refusals;
    });
    const [first] = evy.seen('request.refused', ({ suppressed }) => suppressed !== undefined);
    expect(evy.seen('request.refused').indexOf(first!)).to.equal(linesPerSecond);
  });
});
