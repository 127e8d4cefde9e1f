import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { beginSlow, hasEnded, onTwo, serve, slow, workersOf } from './serving.ts';

/** Two INTs within this are one press of Ctrl-C. */
const sameKeyPressMs = 200;

async function expectAllGone(evy: EvyProcess, busy: RawClient, pids: readonly number[]): Promise<void> {
  expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
  await busy.closed();
  expect(busy.reader.responses).to.deep.equal([]);
  for (const pid of pids) expect(await hasEnded(pid)).to.equal(true);
}

describe('a stop at once', () => {
  let folder = '';
  let evy: EvyProcess;
  let busy: RawClient;
  let pids: number[] = [];
  beforeEach(async () => {
    folder = await tempFolder();
    evy = await serve([...onTwo, slow]);
    pids = (await workersOf(evy)).map(({ pid }) => pid);
    busy = await beginSlow({ port: evy.port }, join(folder, 'gate'));
  });

  it('is what QUIT asks for', async () => {
    evy.signal('SIGQUIT');
    await expectAllGone(evy, busy, pids);
    expect(evy.seen('master.stopping')[0]).to.include({ graceful: false });
  });

  it('is what a second INT asks for', async () => {
    evy.signal('SIGINT');
    expect(await evy.until('master.stopping')).to.include({ graceful: true });
    await sleep(sameKeyPressMs + 50); // the time itself is what tells two key presses from one
    expect(evy.isRunning).to.equal(true);
    evy.signal('SIGINT');
    await expectAllGone(evy, busy, pids);
  });

  it('is not what one Ctrl-C asks for that arrives twice', async () => {
    evy.signal('SIGINT');
    await evy.until('master.stopping');
    evy.signal('SIGINT');
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    busy.close();
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
  });

  it('may follow a graceful one: QUIT after TERM', async () => {
    evy.signal('SIGTERM');
    await evy.until('master.stopping');
    evy.signal('SIGQUIT');
    await expectAllGone(evy, busy, pids);
  });
});
