import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { text } from '../../helpers/response-reader.ts';
import {
  answerOf,
  beginSlow,
  brokenNode,
  crewOf,
  expectNoLoss,
  light,
  moreAnswers,
  onlyTheMasterAccepts,
  reload,
  serve,
  slow,
  underLoad,
} from './serving.ts';

const off = { EVY_PRIVATE_API: 'off' };
const ways = [
  ['without private API of Node', off],
  ['where only the master can accept', onlyTheMasterAccepts],
] as const;

for (const [where, env] of ways)
  describe(where, () => {
    it('says so, serves TCP, TLS and a unix socket, and a reload under load loses nothing', async function () {
      this.timeout(90_000);
      const folder = await tempFolder();
      const path = join(folder, 'evy.sock');
      const binds = ['127.0.0.1:0', 'tls:127.0.0.1:0', `unix:${path}`].flatMap((bind) => ['--bind', bind]);
      const tls = ['--certfile', certfile, '--keyfile', keyfile];
      const evy = await serve([...binds, ...tls, '--workers', '2', slow], { env });
      const reasons = evy.seen('master.fallback').map(({ reason }) => reason);
      expect(reasons).to.include('EVY_PRIVATE_API=off');
      expect(new Set(reasons).size).to.equal(reasons.length);
      const targets = [{ port: evy.port }, { port: evy.addresses[1]!.port!, tls: trusted }, { path }];
      for (const target of targets) expect(await answerOf(target)).to.equal('at once');
      const load = await underLoad(evy, light);
      await reload(evy);
      await reload(evy);
      await crewOf(evy, [3, 3]);
      for (const target of targets) expect(await answerOf(target)).to.equal('at once');
      await moreAnswers(load);
      const result = await load.stop();
      expectNoLoss(result);
      expect(result.announcedClose).to.be.greaterThan(0); // nothing moves here
      expect(Object.keys(result.seen)).to.have.length(6);
      const busy = await beginSlow({ path }, join(folder, 'gate'));
      evy.signal('SIGTERM');
      await evy.until('master.stopping');
      await writeFiles(folder, { gate: '' });
      expect(text(await busy.response())).to.equal('begun,done');
      busy.close();
      expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
      expect(existsSync(path)).to.equal(false);
    });

    it('replaces workers that are killed, and refuses nobody meanwhile', async function () {
      this.timeout(60_000);
      const evy = await serve(['--port', '0', '--workers', '2', slow], { env });
      const before = await crewOf(evy, [1, 1]);
      const load = await underLoad(evy, light);
      for (const { pid } of before) process.kill(pid, 'SIGKILL');
      await evy.until('worker.ready', { times: 4 });
      // The master may hand a connection to a dead worker before it knows, so more than those that were open may be harmed;
      // but once both are back, nothing goes wrong any more.
      const back = await moreAnswers(load);
      await moreAnswers(load, 300);
      const result = await load.stop();
      expect(result).to.include({ refused: 0, unanswered: 0, wrong: 0, non200: 0 });
      expect(result).to.include({ failed: back.failed, closedIdle: back.closedIdle });
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  });

/** What is broken, and the parts of the message that say what it costs. */
const costs = {
  'no BoundSocket': [],
  'no _listen2': ['connections to unix sockets'],
  'a pause() that does not reach the handle': ['TCP connections'],
  'handles without writeQueueSize': ['cannot move'],
  'a reset that closes in order': ['is cut'],
  'no stream_wrap': ['a socket of Node'],
} as const;

describe('on a Node with', () => {
  for (const [broken, said] of Object.entries(costs)) {
    it(`${broken}: says what that costs, serves, and a reload under load loses nothing`, async function () {
      this.timeout(60_000);
      const path = join(await tempFolder(), 'evy.sock');
      const binds = ['--bind', '127.0.0.1:0', '--bind', `unix:${path}`];
      const evy = await serve([...binds, '--workers', '2', slow], { env: brokenNode(broken) });
      const told = evy.seen('master.fallback');
      expect(told).to.have.length(said.length);
      for (const [index, words] of said.entries()) expect(told[index]!.message).to.contain(words);
      expect(await answerOf({ path })).to.equal('at once');
      const load = await underLoad(evy, light);
      await reload(evy);
      await crewOf(evy, [2, 2]);
      expect(await answerOf({ path })).to.equal('at once');
      await moreAnswers(load);
      expectNoLoss(await load.stop());
      expect(evy.seen('worker.fallback')).to.deep.equal([]);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }
});
