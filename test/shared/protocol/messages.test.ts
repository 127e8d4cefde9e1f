import { expect } from 'chai';
import { ForgedMessage, fromWatchdog, fromWorker } from '../../../src/shared/protocol/message-shapes.ts';
import { enclose, fromMaster } from '../../../src/shared/protocol/messages.ts';
import type { BlockReport, WatchdogToMaster, WorkerToMaster } from '../../../src/shared/protocol/messages.ts';

const summary = { method: 'GET', target: '/', peer: '::1', ageMs: 1.5 };
const named = { ...summary, requestId: 'one', traceparent: 'two' };
const peer = { serverName: 'a', serverPort: '1', remoteAddress: 'b', remotePort: '2', scheme: 'https' as const };
const stats = {
  connections: 1,
  activeRequests: 2,
  requests: 3,
  pendingHooks: 4,
  answers2xx: 1,
  answers3xx: 2,
  answers4xx: 3,
  answers5xx: 4,
  failedHandshakes: 0,
  rssBytes: 1,
  lagMs: 0.5,
  healthChecks: 0,
  turnedAway: 0,
  received: 0,
  utilisation: 0.25,
  asleep: false,
};
const usage = { now: 1, wanted: 2, isShort: true };

/** Each message, with as many of its fields as there are. */
const messages: { [Type in WorkerToMaster['type']]: Extract<WorkerToMaster, { type: Type }> } = {
  'hello': { type: 'hello', pid: 1 },
  'boot-step': { type: 'boot-step', step: 'x' },
  'ready': { type: 'ready', interface: 'node', isGuess: false },
  'failed': { type: 'failed', code: 'APP_LOAD_FAILED', message: 'x', stack: 'y' },
  'crashed': { type: 'crashed', message: 'x', stack: 'y', requests: [summary, named] },
  'answered': { type: 'answered' },
  'send-refused': { type: 'send-refused', what: 'x', reason: 'y' },
  'stats': { type: 'stats', stats },
  'under-way': { type: 'under-way', requests: [{ ...named, line: 'x' }] },
  'usage': { type: 'usage', serial: 1, connections: usage, requests: usage },
  'leaving': { type: 'leaving', signal: 'SIGTERM' },
  'overdue': { type: 'overdue', requests: [summary], connections: 1, closed: 2 },
  'drained': { type: 'drained', connections: 1, closed: 2 },
  'move': { type: 'move', id: 1, connection: { peer, requests: 2, rest: 'x' } },
  'adopted': { type: 'adopted', id: 1 },
  'refused': { type: 'refused', id: 1 },
  'sync': { type: 'sync', upTo: 1 },
  'synced': { type: 'synced', upTo: 1, here: [1, 2] },
};
const report: BlockReport = {
  stack: 'x',
  native: { state: 'waiting', children: ['y'] },
  requests: [named],
  requestCount: 1,
};
const sayings: { [Type in WatchdogToMaster['type']]: Extract<WatchdogToMaster, { type: Type }> } = {
  alive: { type: 'alive' },
  busy: { type: 'busy', blockedMs: 1, report },
  recovered: { type: 'recovered', blockedMs: 1 },
  stuck: { type: 'stuck', blockedMs: 1, report: { requests: [] } },
};

/** The same with one part of it, at whatever depth, replaced by each of these. */
function* spoilt(value: unknown, by: readonly unknown[]): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    const withPart = (other: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
    for (const other of by) if (typeof other !== typeof part || other === null) yield withPart(other);
    for (const other of spoilt(part, by)) yield withPart(other);
  }
}

describe('messages', () => {
  it('come out of their envelope on the right side only', () => {
    const drain = { type: 'drain', graceMs: 1, idle: 'keep' } as const;
    expect(fromMaster(enclose(drain))).to.deep.equal(drain);
    expect(() => fromWorker(enclose(drain))).to.throw(ForgedMessage);
    expect(fromWorker(enclose({ type: 'ready', interface: 'wsgi', isGuess: false }))).to.deep.equal({
      type: 'ready',
      interface: 'wsgi',
      isGuess: false,
    });
  });

  it('are not taken for ours without it', () => {
    for (const value of [null, 'ready', 7, [], { type: 'ready', interface: 'wsgi' }]) {
      expect(fromWorker(value)).to.equal(undefined);
      expect(fromMaster(value)).to.equal(undefined);
      expect(fromWatchdog(JSON.stringify(value))).to.equal(undefined);
    }
    expect(fromWatchdog('no JSON')).to.equal(undefined);
  });

  it('are as they were sent when each of their parts is of its kind', () => {
    for (const message of Object.values(messages)) expect(fromWorker(enclose(message))).to.deep.equal(message);
    for (const message of Object.values(sayings))
      expect(fromWatchdog(JSON.stringify(enclose(message)))).to.deep.equal(message);
  });

  it('are forged when one of their parts is of another kind', () => {
    const others = [null, 'x', -1, 1.5, Number.NaN, true, {}, []];
    for (const message of Object.values(messages))
      for (const bad of spoilt(message, others))
        expect(() => fromWorker({ evy: bad }), JSON.stringify(bad)).to.throw(ForgedMessage);
    for (const message of Object.values(sayings))
      for (const bad of spoilt(message, [null, 'x', 1, true, {}]))
        expect(() => fromWatchdog(JSON.stringify({ evy: bad })), JSON.stringify(bad)).to.throw(ForgedMessage);
    for (const bad of [null, 'ready', 7, {}, [], { type: 'x' }, { type: 'constructor' }, { type: 'drain' }])
      expect(() => fromWorker({ evy: bad }), JSON.stringify(bad)).to.throw(ForgedMessage);
  });

  it('are forged when a number that counts is less than nothing, or no whole one', () => {
    for (const id of [-1, 1.5, Number.NaN, Infinity, 2 ** 60])
      expect(() => fromWorker({ evy: { type: 'adopted', id } })).to.throw(ForgedMessage);
  });
});
