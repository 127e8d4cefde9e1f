import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, application, crewOf, hasEnded, onTwo, serve } from './serving.ts';

const args = [...onTwo, application('blocks'), '--stuck-timeout', '3s', '--access-log', '-'];
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

/** Connections until there are so many to one worker. */
async function toOneWorker(evy: EvyProcess, count: number): Promise<{ pid: number; clients: RawClient[] }> {
  const byPid = new Map<number, RawClient[]>();
  return waitFor(`${count} connections to one worker`, async () => {
    const client = await connect({ port: evy.port });
    const pid = Number(text(await client.request(get('/'))));
    const clients = [...(byPid.get(pid) ?? []), client];
    byPid.set(pid, clients);
    return clients.length === count && { pid, clients };
  });
}

describe('a worker whose event loop is stuck', () => {
  it('is replaced, and the log tells what held it and which requests it had', async function () {
    const evy = await serve([...args, '--trusted-proxies', 'loopback']);
    const { pid, clients } = await toOneWorker(evy, 2);
    const ofIt = { where: (line: Record<string, unknown>) => line['pid'] === pid };
    clients[0]!.send(get('/never?1', 'X-Request-Id: the-first\r\n'));
    await waitFor('a response that has begun', () => clients[0]!.received.includes('begun'));
    clients[1]!.send(get('/spin?2'));

    const busy = await evy.until('worker.busy', ofIt);
    expect(busy.blockedMs).to.be.at.least(1_000);
    expect(busy.stack).to.match(/^ +at spinsForEver \(file:.*\/blocks\.mjs:\d+:\d+\)\n/);
    expect(await answerOf({ port: evy.port })).to.not.equal(String(pid));

    const stuck = await evy.until('worker.stuck', ofIt);
    expect(stuck).to.include({ level: 'error', requests: 2, generation: 1 });
    expect(stuck.blockedMs).to.be.at.least(3_000);
    expect(stuck.stack).to.match(/^ +at spinsForEver \(file:.*\/blocks\.mjs:8:\d+\)\n/);
    await evy.until('request.cut', { ...ofIt, times: 2 });
    const [first, second] = evy.seen('request.cut');
    expect(first).to.include({ method: 'GET', target: '/never?1', peer: '127.0.0.1', requestId: 'the-first' });
    expect(second).to.include({ method: 'GET', target: '/spin?2', peer: '127.0.0.1' });
    expect(second!.ageMs).to.be.at.least(3_000);
    expect((await evy.until('worker.killed', ofIt)).message).to.include('stuckTimeout');
    expect(await evy.until('worker.exit', ofIt)).to.include({ signal: 'SIGKILL', error: 'its event loop was stuck' });
    for (const client of clients) await client.closed();

    const crew = await crewOf(evy, [1, 1]);
    expect(crew.map((worker) => worker.pid)).to.not.include(pid);
    // Even they have their access lines.
    const linesOf = (path: string) =>
      evy
        .output('stdout')
        .split('\n')
        .filter((line) => line.includes(path));
    await waitFor('their access lines', () => linesOf('/never?1').length > 0 && linesOf('/spin?2').length > 0);
    const accessLines = evy.output('stdout').split('\n');
    expect(accessLines.filter((line) => /"GET \/never\?1 HTTP\/1.1" 200 10 /.test(line))).to.have.length(1);
    expect(accessLines.filter((line) => /"GET \/spin\?2 HTTP\/1.1" 0 0 /.test(line))).to.have.length(1);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('is replaced when it waits for a program, and the log names that', async function () {
    const evy = await serve(args);
    const { pid, clients } = await toOneWorker(evy, 1);
    clients[0]!.send(get('/shell'));
    const ofIt = { where: (line: Record<string, unknown>) => line['pid'] === pid };
    const stuck = await evy.until('worker.stuck', ofIt);
    expect(stuck.stack).to.equal(undefined);
    expect(stuck.message).to.include('it waits in a synchronous system call');
    expect(stuck.children).to.be.an('array').with.length(1);
    expect((stuck.children as string[])[0]).to.match(/^\d+ \/bin\/sh -c while kill -0/);
    await evy.until('worker.exit', ofIt);
    await clients[0]!.closed();
    await crewOf(evy, [1, 1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('ends by itself when there is no master any more', async function () {
    const evy = await serve(args);
    const { pid, clients } = await toOneWorker(evy, 1);
    clients[0]!.send(get('/spin'));
    await evy.until('worker.busy', { where: (line) => line['pid'] === pid });
    evy.signal('SIGKILL');
    await waitFor('the end of the stuck worker', () => hasEnded(pid));
  });
});

describe('a worker that is merely busy', () => {
  it('is told of and left alone', async function () {
    const enough = join(await tempFolder(), 'enough');
    // It is told of after three seconds, and has six more: this test may be slow to see it.
    const evy = await serve([...args, '--stuck-timeout', '9s']);
    const before = await crewOf(evy, [1, 1]);
    const { pid, clients } = await toOneWorker(evy, 1);
    const ofIt = { where: (line: Record<string, unknown>) => line['pid'] === pid };
    clients[0]!.send(get(`/busy?${enough}`));
    const busy = await evy.until('worker.busy', ofIt);
    await writeFile(enough, '');
    expect(text(await clients[0]!.response())).to.equal(String(pid));
    expect(busy.stack).to.match(/^ +at isBusyUntil \(file:.*\/blocks\.mjs:\d+:\d+\)$/m);
    const recovered = await evy.until('worker.recovered', ofIt);
    expect(recovered.blockedMs).to.be.at.least(3_000);
    expect(text(await clients[0]!.request(get('/')))).to.equal(String(pid));
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    for (const event of ['worker.stuck', 'worker.killed', 'worker.exit']) expect(evy.seen(event)).to.deep.equal([]);
    clients[0]!.close();
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
