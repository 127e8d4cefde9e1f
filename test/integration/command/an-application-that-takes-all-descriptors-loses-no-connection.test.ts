import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, beIdle, reload, serve } from './serving.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const openFiles = 300;

describe('an application that takes all descriptors of its worker', () => {
  let evy: EvyProcess;
  let worker: number;
  let first: RawClient;
  beforeEach(async () => {
    evy = await serve(['--port', '0', '--workers', '1', application('takes-descriptors')]);
    // Of the master; the worker that is started next has it, too.
    execFileSync('prlimit', ['--pid', String(evy.pid), `--nofile=${openFiles}:${openFiles}`]);
    await reload(evy);
    const ready = await evy.until('worker.ready', { where: ({ generation }) => generation === 2 });
    worker = Number(ready['pid']);
    first = await beIdle({ port: evy.port });
  });
  afterEach(async () => {
    first.close();
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
  /** Clients that have asked, all at once. */
  const crowd = (size: number) =>
    Promise.all(
      Array.from({ length: size }, async () => {
        const client = await connect({ port: evy.port });
        client.send(get('/'));
        return client;
      }),
    );
  const answered = (clients: readonly RawClient[]) => clients.filter(({ bytesReceived }) => bytesReceived > 0).length;
  async function freeAndAnswer(clients: readonly RawClient[]): Promise<void> {
    process.kill(worker, 'SIGUSR2');
    for (const client of [first, ...clients]) expect((await client.response()).status).to.equal(200);
    for (const client of clients) client.close();
  }

  it('lets new connections wait, says so, and serves them when there are some again', async () => {
    first.send(get('/take?0'));
    const limited = await evy.until('connections.limited', { where: ({ free }) => free !== undefined });
    expect(limited).to.include({ level: 'warn', openFiles });
    expect(limited.free).to.be.below(16);
    const clients = await crowd(50);
    expect(answered(clients)).to.equal(0);
    await freeAndAnswer(clients);
    await evy.until('connections.resumed');
  });

  it('loses none of a crowd when it has left a few', async () => {
    first.send(get('/take?40'));
    const clients = await crowd(100);
    await evy.until('connections.limited', { where: ({ free }) => free !== undefined });
    await waitFor('an answer for those that were let in', () => answered(clients) > 0);
    await freeAndAnswer(clients);
  });
});
