import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { hammer } from '../../helpers/hammer.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, echo, expectUnnoticed, moreAnswers, onTwo, refusalOf, serve, underLoad } from './serving.ts';
import { end, upgrade } from './upgrading.ts';

describe('USR2 puts a new master in the place of the old one', () => {
  it('under load, and no client notices', async function () {
    const pidfile = join(await tempFolder(), 'evy.pid');
    const evy = await serve([...onTwo, '--pidfile', pidfile, echo]);
    const { port } = evy;
    const load = await underLoad(evy, { keepAlive: 30, reconnecting: 4, paceMs: 15 });
    const first = await upgrade(evy);
    expect(first.stopped).to.include({ workers: 2, cut: 0 });
    // The crowd moved; what counts as drained has closed its connection itself.
    expect(first.stopped.moved).to.be.at.least(30);
    expect(readFileSync(pidfile, 'utf8')).to.equal(`${first.pid}\n`);
    await moreAnswers(load);
    const second = await upgrade(evy, first.pid);
    expect(second.pid).not.to.equal(first.pid);
    await moreAnswers(load);
    const result = await load.stop();
    expectUnnoticed(result);
    // Two workers of each of the three masters have answered.
    expect(Object.keys(result.seen)).to.have.length(6);
    await end(second.pid);
    expect(existsSync(pidfile)).to.equal(false);
    expect(await refusalOf({ port })).to.equal('ECONNREFUSED');
  });

  it('under pipelined, cut and posted requests, over TCP and a unix socket', async function () {
    const path = join(await tempFolder(), 'evy.sock');
    const evy = await serve([
      '-b',
      '127.0.0.1:0',
      '-b',
      `unix:${path}`,
      '--workers',
      '2',
      application('hammered-wsgi'),
    ]);
    const all = [hammer({ port: evy.port }, 15), hammer({ path }, 15)];
    const answersAbove = async (more: number) => {
      const counts = all.map(({ result }) => result.answered + more);
      await waitFor('answers', () => all.every(({ result }, at) => result.answered > counts[at]!));
    };
    await answersAbove(30);
    const { pid } = await upgrade(evy);
    await answersAbove(60);
    for (const clients of all) {
      const result = await clients.stop();
      expect(result).to.deep.include({ wrong: 0, lost: 0, closed: 0, announced: 0, examples: [] });
      expect(result.answered).to.equal(result.sent);
      expect(result.moved).to.be.greaterThan(10);
    }
    expect(existsSync(path)).to.equal(true);
    await end(pid);
    expect(existsSync(path)).to.equal(false);
  });
});
