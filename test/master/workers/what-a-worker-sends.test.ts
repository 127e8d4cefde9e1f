import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { WorkerProcess } from '../../../src/master/workers/process.ts';
import type { ProcessNews } from '../../../src/master/workers/process.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { fixture, projectRoot } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const summary = { method: 'GET', target: '/', peer: '::1', ageMs: 1 };
const peer = { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' };
const query = {
  cmd: 'NODE_CLUSTER',
  act: 'queryServer',
  seq: 900,
  index: 0,
  port: 0,
  addressType: 4,
  address: '127.0.0.1',
};

/** What cannot come from evy's part of a worker, nor from Node. */
const faults: Readonly<Record<string, unknown>> = {
  'a confirmation of a handle': { cmd: 'NODE_HANDLE_ACK' },
  'a refusal of a handle': { cmd: 'NODE_HANDLE_NACK' },
  'a handle of no kind': { cmd: 'NODE_HANDLE' },
  'a handle of a kind that there is not': { cmd: 'NODE_HANDLE', type: 'constructor', msg: 1 },
  'a handle with an internal message': { cmd: 'NODE_HANDLE', type: 'net.Native', msg: { cmd: 'NODE_HANDLE' } },
  'a cluster message with nothing': { cmd: 'NODE_CLUSTER' },
  'a query without its fields': { cmd: 'NODE_CLUSTER', act: 'queryServer' },
  'a query without an address': { cmd: 'NODE_CLUSTER', act: 'queryServer', seq: 900, index: 0 },
  'a query with an object in it': { ...query, backlog: { valueOf: 1, toString: 1 } },
  'a query with a port that there is not': { ...query, port: 70_000 },
  'an act that is a list': { cmd: 'NODE_CLUSTER', act: ['online'], seq: 900 },
  'an act of the prototype': { cmd: 'NODE_CLUSTER', act: '__defineGetter__', seq: 900 },
  'an answer to no number': { cmd: 'NODE_CLUSTER', ack: 'x', seq: 900 },
  'nothing in the envelope': { evy: null },
  'a text in the envelope': { evy: 'ready' },
  'a type that there is not': { evy: { type: 'constructor' } },
  'a message of the master': { evy: { type: 'drain', graceMs: 1, idle: 'keep' } },
  'ready without an interface': { evy: { type: 'ready' } },
  'ready with a strange interface': { evy: { type: 'ready', interface: 'toString' } },
  'a failure of a strange code': { evy: { type: 'failed', code: 'constructor', message: '' } },
  'a crash without text': { evy: { type: 'crashed', message: {} } },
  'a crash with bad requests': { evy: { type: 'crashed', message: '', requests: [{ ...summary, method: 1 }] } },
  'stats without counts': { evy: { type: 'stats', stats: {} } },
  'usage of less than nothing': { evy: { type: 'usage', serial: -1 } },
  'requests that are no list': { evy: { type: 'under-way', requests: { length: 1 } } },
  'last words without requests': { evy: { type: 'overdue', connections: 0, closed: 0 } },
  'a synchronisation with a number': { evy: { type: 'synced', upTo: 1, here: 5 } },
  'a move without a connection': { evy: { type: 'move', id: 1 } },
  'a move with half a peer': { evy: { type: 'move', id: 1, connection: { peer: { ...peer, scheme: 'x' } } } },
};

/** What Node or an application may send. */
const inOrder: Readonly<Record<string, unknown>> = {
  'nothing': null,
  'a text': 'NODE_HANDLE_ACK',
  'a message of its own': { cmd: 'NODE_', type: 'ready' },
  'an internal message that nobody waits for': { cmd: 'NODE_WHATEVER', deep: { er: [] } },
  'that it is online': { cmd: 'NODE_CLUSTER', act: 'online', seq: 900 },
  'that it listens': { cmd: 'NODE_CLUSTER', act: 'listening', seq: 900, address: null, port: 1, addressType: 4 },
  'a query': query,
  'a query for a host that there is not': { ...query, address: 'nowhere.invalid' },
  'a query for a descriptor of the master': { ...query, fd: 0 },
  'a close of what it does not have': { cmd: 'NODE_CLUSTER', act: 'close', key: 'x', seq: 900 },
  'an answer that nobody waits for': { cmd: 'NODE_CLUSTER', ack: 4711, seq: 900 },
  'an act that there is not': { cmd: 'NODE_CLUSTER', act: 'suicide', seq: 900 },
  'that it leaves': { cmd: 'NODE_CLUSTER', act: 'exitedAfterDisconnect', seq: 900 },
};

/** What the master hears of a worker that does so, until the first thing that decides. */
async function heard(variables: Readonly<Record<string, string>>): Promise<ProcessNews[]> {
  const { execArgv } = process;
  process.execArgv = [];
  onEnd(() => {
    process.execArgv = execArgv;
  });
  const news: ProcessNews[] = [];
  const plan = { entry: fixture('workers', 'sends.mjs'), fds: [], directory: projectRoot, variables, stuckMs: 0 };
  const worker = new WorkerProcess(
    plan,
    (one) => news.push(one),
    () => {},
  );
  const has = (...types: string[]) => news.some(({ type }) => types.includes(type));
  await waitFor('a fault, or what comes behind it', () => has('fault', 'leaving', 'exit'));
  worker.kill();
  await waitFor('its end', () => has('exit'));
  return news;
}

const types = (news: readonly ProcessNews[]) => news.map(({ type }) => type);

describe('what a worker writes to its channel', () => {
  for (const [what, message] of Object.entries(faults)) {
    it(`is its fault, and nothing more is taken of it: ${what}`, async () => {
      const news = await heard({ RAW: `${JSON.stringify(message)}\n` });
      expect(types(news)).to.deep.equal(['fault', 'exit']);
    });
  }

  for (const [what, message] of Object.entries(inOrder)) {
    it(`changes nothing else: ${what}`, async () => {
      const news = await heard({ RAW: `${JSON.stringify(message)}\n` });
      expect(types(news)).to.deep.equal(['leaving', 'exit']);
    });
  }

  it('is its fault when it is no JSON', async () => {
    for (const RAW of ['nonsense\n', '{"evy":{"type"', '\n', '\u0007\n'])
      expect(types(await heard({ RAW })), RAW).to.deep.equal(['fault', 'exit']);
  });

  it('is its fault when Node would open here what came with it', async () => {
    for (const HANDLE of ['server', 'udp']) {
      const news = await heard({ INTERNALLY: JSON.stringify({ some: 'thing' }), HANDLE });
      expect(types(news), HANDLE).to.deep.equal(['fault', 'exit']);
    }
  });

  it('leaves no descriptor open that nobody takes', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const news = await heard({ INTERNALLY: JSON.stringify({ some: 'thing' }), HANDLE: 'native' });
    expect(types(news)).to.deep.equal(['leaving', 'exit']);
    await waitFor('as few descriptors as before', () => descriptors() <= before);
  });

  it('is its fault when it does not end', async function () {
    this.timeout(30_000);
    expect(types(await heard({ LENGTH: String(65 << 20) }))).to.deep.equal(['fault', 'exit']);
  });
});
