import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { answerOf, application, crewOf, onTwo, serve } from './serving.ts';

/** With a log that nobody reads, so that a worker waits, up to its limit of a second, before it ends. */
async function withUnreadLog(): Promise<EvyProcess> {
  const path = join(await tempFolder(), 'output');
  execFileSync('mkfifo', [path]);
  const stdout = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onEnd(() => closeSync(stdout));
  // One line is more than the pipe holds.
  const format = `%(status_code)s ${'x'.repeat(100_000)}`;
  return serve([...onTwo, application('blocks'), '--access-log', '-', '--log-format', format], { stdout });
}

describe('a worker that ends while its log is stuck', () => {
  for (const [how, code] of [
    ['by an exception', 1],
    ['by QUIT', 0],
  ] as const) {
    it(`${how}: accepts nothing more, and no new connection is lost`, async () => {
      const evy = await withUnreadLog();
      await crewOf(evy, [1, 1]);
      const client = await connect({ port: evy.port });
      const pid = Number(text(await client.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')));
      if (how === 'by QUIT') process.kill(pid, 'SIGQUIT');
      else client.send('GET /crash HTTP/1.1\r\nHost: localhost\r\n\r\n');
      if (how === 'by an exception') await evy.until('worker.crashed');
      const exits = () => evy.seen('worker.exit', (line) => line.pid === pid);
      // Rejects when one is lost.
      while (exits().length === 0) await answerOf({ port: evy.port });
      expect(exits()[0]).to.include({ code });
    });
  }
});
