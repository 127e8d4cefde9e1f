import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { header } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { beIdle, crewOf, echo, hasEnded, serve } from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const descriptorsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

interface Halfway {
  evy: EvyProcess;
  clients: RawClient[];
  oldPid: number;
  newPid: number;
  /** connections that the new worker had when it was stopped */
  adopted: number;
  masterDescriptors: number;
}

/** A reload of one worker with many idle connections; the new worker is stopped when it has got some of them. */
async function halfway(count: number, app = echo): Promise<Halfway> {
  // A watchdog's thread would open descriptors while they are counted.
  const evy = await serve(['--port', '0', '--workers', '1', '--stuck-timeout', '0', app]);
  const clients: RawClient[] = [];
  for (let left = count; left > 0; left -= 50)
    clients.push(...(await Promise.all(Array.from({ length: 50 }, async () => beIdle({ port: evy.port })))));
  const masterDescriptors = await descriptorsOf(evy.pid);
  const [old] = await crewOf(evy, [1]);
  // What a worker has beside its connections.
  const others = (await descriptorsOf(old!.pid)) - count;
  evy.signal('SIGHUP');
  const newPid = Number((await evy.until('worker.ready', { times: 2 })).pid);
  const hasSome = async () => (await descriptorsOf(newPid)) >= others + 10;
  await waitFor('connections at the new worker', hasSome, { everyMs: 1 });
  process.kill(newPid, 'SIGSTOP');
  const adopted = (await descriptorsOf(newPid)) - others;
  return { evy, clients, oldPid: old!.pid, newPid, adopted, masterDescriptors };
}

/** Asks each; returns who answered, process by process, and how many have been closed. */
async function askAll(clients: readonly RawClient[]): Promise<{ pids: Map<string, number>; closed: number }> {
  const pids = new Map<string, number>();
  let closed = 0;
  for (const client of clients) {
    const response = client.ending === undefined ? await client.request(get).catch(() => undefined) : undefined;
    if (response === undefined) closed += 1;
    else {
      expect(header(response, 'Connection')).to.equal(undefined);
      const pid = header(response, 'X-Pid')!;
      pids.set(pid, (pids.get(pid) ?? 0) + 1);
    }
  }
  return { pids, closed };
}

const inAll = 400;
const window = 8;

describe('kill -9 in the middle of a move of several hundred connections', () => {
  it('of the worker that they leave: what has left goes on, and the master keeps nothing', async function () {
    const { evy, clients, oldPid, newPid, adopted, masterDescriptors } = await halfway(inAll);
    // Those that wait for their turn are served meanwhile, by whoever they are with.
    const waiting = await clients.at(-1)!.request(get);
    expect(header(waiting, 'X-Pid')).to.equal(String(oldPid));
    process.kill(oldPid, 'SIGKILL');
    await evy.until('worker.exit', { where: ({ pid }) => pid === oldPid });
    process.kill(newPid, 'SIGCONT');
    const { pids, closed } = await askAll(clients);
    expect([...pids.keys()]).to.deep.equal([String(newPid)]);
    expect(inAll - closed).to.be.within(adopted, adopted + 2 * window);
    await waitFor('the descriptors', async () => (await descriptorsOf(evy.pid)) === masterDescriptors);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('of the worker that they go to: what it had not adopted moves to the next one', async function () {
    const { evy, clients, oldPid, newPid, adopted, masterDescriptors } = await halfway(inAll);
    process.kill(newPid, 'SIGKILL');
    const next = await evy.until('worker.ready', { times: 3 });
    await evy.until('worker.exit', { where: ({ pid }) => pid === oldPid });
    const { pids, closed } = await askAll(clients);
    expect([...pids.keys()]).to.deep.equal([String(next.pid)]);
    expect(closed).to.be.within(1, adopted);
    expect(closed + pids.get(String(next.pid))!).to.equal(inAll);
    await waitFor('the descriptors', async () => (await descriptorsOf(evy.pid)) === masterDescriptors);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});

/** Answers, and closes the channel to its master when it is told to. */
const leavesMaster = `
process.on('SIGUSR2', () => process.disconnect());
export default (env, startResponse) => {
  startResponse('200 OK', [['X-Pid', String(process.pid)]]);
  return ['echo'];
};
`;

describe('a channel that closes in the middle of a move', () => {
  const app = async () => join(await tempFolder({ 'app.mjs': leavesMaster }), 'app.mjs');

  it('to the worker that they leave: what has left goes on, and the worker ends', async function () {
    const { evy, clients, oldPid, newPid, adopted, masterDescriptors } = await halfway(inAll, await app());
    process.kill(oldPid, 'SIGUSR2');
    await evy.until('worker.exit', { where: ({ pid }) => pid === oldPid });
    process.kill(newPid, 'SIGCONT');
    const { pids, closed } = await askAll(clients);
    expect([...pids.keys()]).to.deep.equal([String(newPid)]);
    expect(inAll - closed).to.be.within(adopted, adopted + 2 * window);
    await waitFor('the descriptors', async () => (await descriptorsOf(evy.pid)) === masterDescriptors);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('to the worker that they go to: what it had not adopted moves to the next one', async function () {
    const { evy, clients, oldPid, newPid, adopted, masterDescriptors } = await halfway(inAll, await app());
    process.kill(newPid, 'SIGUSR2');
    process.kill(newPid, 'SIGCONT');
    const next = await evy.until('worker.ready', { times: 3 });
    for (const gone of [oldPid, newPid]) await evy.until('worker.exit', { where: ({ pid }) => pid === gone });
    const { pids, closed } = await askAll(clients);
    expect([...pids.keys()]).to.deep.equal([String(next.pid)]);
    // It may have gone on a little when it was continued.
    expect(closed).to.be.within(1, adopted + 2 * window);
    await waitFor('the descriptors', async () => (await descriptorsOf(evy.pid)) === masterDescriptors);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});

describe('kill -9 of the master in the middle of a move', () => {
  it('ends both workers, as at any other time: no connection is read twice or forgotten', async function () {
    const { evy, clients, oldPid, newPid } = await halfway(100);
    const asking = clients.at(-1)!;
    evy.signal('SIGKILL');
    process.kill(newPid, 'SIGCONT');
    for (const pid of [oldPid, newPid]) await waitFor('the end of a worker', () => hasEnded(pid));
    for (const client of clients) await client.closed();
    expect(asking.reader.responses).to.have.lengthOf(1);
  });
});

/** The hard limit as well: Node raises its own to that when it starts. What is open stays so. */
const limitDescriptors = (pid: number, most: number) =>
  promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${most}:${most}`]);

describe('without a descriptor left', () => {
  it('in the master, connections stay where they are, are answered, and are told to close', async function () {
    const evy = await serve(['--port', '0', '--workers', '1', echo]);
    const clients = await Promise.all(Array.from({ length: 10 }, async () => beIdle({ port: evy.port })));
    const [old] = await crewOf(evy, [1]);
    process.kill(old!.pid, 'SIGSTOP'); // until the new worker is there, for which the master needs descriptors
    evy.signal('SIGHUP');
    await evy.until('worker.retiring');
    await limitDescriptors(evy.pid, 1);
    process.kill(old!.pid, 'SIGCONT');
    let announced = 0;
    const askOnce = async () => {
      for (const client of clients.filter(({ ending }) => ending === undefined)) {
        const response = await client.request(get);
        expect(header(response, 'X-Pid')).to.equal(String(old!.pid));
        if (header(response, 'Connection') !== 'close') continue;
        announced += 1;
        await client.closed();
      }
      return announced === clients.length;
    };
    await waitFor('all to be told', askOnce, { everyMs: 100 });
    expect(await evy.until('worker.exit')).to.include({ pid: old!.pid, code: 0 });
    expect(evy.seen('connections.moved')).to.deep.equal([]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('in the new worker, those that it has no room for stay, are answered, and are told to close', async function () {
    const evy = await serve(['--port', '0', '--workers', '1', echo]);
    // Many, since a worker needs descriptors for its modules when it boots.
    const clients = await Promise.all(Array.from({ length: 200 }, async () => beIdle({ port: evy.port })));
    const masterDescriptors = await descriptorsOf(evy.pid);
    const [old] = await crewOf(evy, [1]);
    // Inherited by workers that start from now on: enough to boot, and for a few connections.
    const most = (await descriptorsOf(old!.pid)) - 20;
    await limitDescriptors(evy.pid, most);
    evy.signal('SIGHUP');
    const fresh = await evy.until('worker.ready', { times: 2 });
    await waitFor('connections at the new worker', async () => (await descriptorsOf(Number(fresh.pid))) >= most);
    const answers = new Map<string, number>();
    let announced = 0;
    await waitFor('the end of the old worker', async () => {
      for (const client of clients) {
        if (client.ending !== undefined) continue;
        const response = await client.request(get);
        const pid = header(response, 'X-Pid')!;
        answers.set(pid, (answers.get(pid) ?? 0) + 1);
        if (header(response, 'Connection') !== 'close') continue;
        announced += 1;
        await client.closed();
      }
      return evy.seen('worker.exit').length > 0;
    });
    expect(evy.seen('worker.exit')[0]).to.include({ pid: old!.pid, code: 0 });
    // Nobody was closed who had not been told.
    expect(clients.filter(({ ending }) => ending !== undefined)).to.have.lengthOf(announced);
    expect(announced).to.be.within(1, 199);
    expect([...answers.keys()].toSorted()).to.deep.equal([String(old!.pid), String(fresh.pid)].toSorted());
    await waitFor('the descriptors', async () => (await descriptorsOf(evy.pid)) === masterDescriptors);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
