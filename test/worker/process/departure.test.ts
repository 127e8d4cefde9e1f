import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { RequestSummary, RequestUnderWay, ServingStats } from '../../../src/shared/protocol/messages.ts';
import { noAnswers } from '../../../src/worker/loop/context.ts';
import { Leaving } from '../../../src/worker/process/departure.ts';
import { Mover } from '../../../src/worker/migration/mover.ts';
import type { Serving } from '../../../src/worker/loop/service.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import type { LeavingParts } from '../../../src/worker/process/departure.ts';
import type { IdleConnection } from '../../../src/worker/transport/idle.ts';
import { Intake } from '../../../src/worker/accepting/intake.ts';

const request: RequestSummary = { method: 'GET', target: '/slow', peer: '192.0.2.1', ageMs: 7 };

/** A loop with idle clients, requests and hooks as the test says; idle ones go when they are closed. */
class FakeServing implements Serving {
  idle: number;
  requests: RequestSummary[];
  pendingHooks: number;
  closedIdle = 0;
  readonly orders: string[] = [];
  #changed: () => void = () => {};

  constructor(has: { idle?: number; requests?: RequestSummary[]; pendingHooks?: number }) {
    this.idle = has.idle ?? 0;
    this.requests = has.requests ?? [];
    this.pendingHooks = has.pendingHooks ?? 0;
  }
  readonly takesRaw = false;
  accept(): void {}
  adopt(): void {}
  activeRequests = 0;
  get stats(): ServingStats {
    const { pendingHooks } = this;
    const activeRequests = this.requests.length;
    return {
      connections: this.idle + activeRequests,
      activeRequests,
      requests: 0,
      pendingHooks,
      ...noAnswers(),
    };
  }
  get isEmpty(): boolean {
    return this.stats.connections === 0 && this.pendingHooks === 0;
  }
  onChange(callback: () => void): void {
    this.#changed = callback;
  }
  lastWords(): void {}
  survey(): RequestUnderWay[] {
    return [];
  }
  requestsUnderWay(): RequestSummary[] {
    return this.requests;
  }
  drain(): void {
    this.orders.push('drain');
  }
  moveWith(): void {
    this.orders.push('moveWith');
  }
  closeIdle(): void {
    this.orders.push('closeIdle');
    this.closedIdle += this.idle;
    if (this.lingers) return;
    this.idle = 0;
    this.#changed();
  }
  /** The first half of them has asked. */
  idleConnections(): IdleConnection[] {
    return this.keys.slice(0, this.idle).map((key, index) => ({
      key,
      hasAsked: index < this.idle / 2,
      idleMs: 0,
      bytesRead: 0,
      isStillIdle: true,
      closeUnannounced: () => {
        this.closedIdle += 1;
        this.idle -= 1;
        this.#changed();
      },
      giveWay: () => {},
    }));
  }
  readonly keys = Array.from({ length: 10 }, () => ({}));
  /** idle clients go when they have seen that their connection closes */
  lingers = false;
  seeClose(): void {
    this.idle = 0;
    this.#changed();
  }
  answerAll(): void {
    this.requests = [];
    this.#changed();
  }
  destroyBusy(): RequestSummary[] {
    const cut = this.requests;
    this.orders.push('destroyBusy');
    this.requests = [];
    this.#changed();
    return cut;
  }
  destroyAll(): void {}
  reopenLogs(): void {}
  async stop(): Promise<void> {}
}

const noHandshakes = { count: 0, onChange: () => {} };
const leave = (serving: Serving, mover?: Mover, handshakes: LeavingParts['gate']['handshakes'] = noHandshakes) => {
  const gate = { intake: new Intake(), isFull: false, isResting: false, update: () => {}, handshakes };
  return new Leaving({ serving, servers: [], gate, ...(mover && { mover }) });
};

const released = {
  handle: { close() {} },
  connection: {
    peer: { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' } as const,
  },
  drop: () => {},
  resume: () => {},
};

/** A mover with one connection under way. */
function busyMover(): { mover: Mover; arrive: () => void } {
  const mover = new Mover({ send: () => {}, nowMs: () => 0 });
  mover.offer({ transport: {}, detach: () => released });
  return { mover, arrive: () => mover.receive({ type: 'moved', id: 1 }) };
}

describe('a worker that leaves', () => {
  it('is gone at once when nothing is left', async () => {
    const serving = new FakeServing({});
    expect(await leave(serving).begin({ graceMs: 60_000, idle: 'keep' })).to.deep.equal([]);
    expect(serving.orders).to.deep.equal(['drain']);
  });

  it('waits for its requests, and lets idle clients ask once more when told so', async () => {
    const serving = new FakeServing({ requests: [request] });
    const left = leave(serving).begin({ graceMs: 60_000, idle: 'keep' });
    serving.answerAll();
    expect(await left).to.deep.equal([]);
    expect(serving.orders).to.not.include('closeIdle');
  });

  it('closes idle clients when the grace time ends, and tells which requests it cuts', async () => {
    const serving = new FakeServing({ idle: 1, requests: [request] });
    expect(await leave(serving).begin({ graceMs: 1, idle: 'keep' })).to.deep.equal([request]);
    expect(serving.idle).to.equal(0);
  });

  it('lets idle clients see that it closes, also when it cuts a request', async () => {
    const serving = new FakeServing({ idle: 1, requests: [request] });
    serving.lingers = true;
    let isOver = false;
    const left = leave(serving)
      .begin({ graceMs: 1, idle: 'keep' })
      .finally(() => (isOver = true));
    await waitFor('the cut', () => serving.requests.length === 0);
    await setImmediate();
    expect(isOver).to.equal(false);
    serving.seeClose();
    expect(await left).to.deep.equal([request]);
  });

  it('closes idle clients within the grace time when a second order says so, and counts them', async () => {
    const serving = new FakeServing({ idle: 2 });
    serving.closedIdle = 7; // before it left
    const leaving = leave(serving);
    const left = leaving.begin({ graceMs: 60_000, idle: 'keep' });
    await setImmediate();
    leaving.hasten({ graceMs: 1000, idle: 'close' });
    expect(leaving.closed).to.equal(0);
    expect(await left).to.deep.equal([]);
    expect(leaving.closed).to.equal(2);
    expect(serving.orders).to.not.include('closeIdle');
  });

  it('answers a request that was on its way when the server was stopped, before it closes what is idle', async () => {
    const serving = new FakeServing({ idle: 1 });
    const leaving = leave(serving);
    const left = leaving.begin({ graceMs: 60_000, idle: 'close' });
    await setImmediate();
    serving.idle = 0;
    serving.requests = [request];
    serving.answerAll();
    expect(await left).to.deep.equal([]);
    expect(leaving.closed).to.equal(0);
  });

  it('tells how many connections it had when it was told to leave', async () => {
    const serving = new FakeServing({ idle: 5, requests: [request] });
    const leaving = leave(serving);
    const left = leaving.begin({ graceMs: 50, idle: 'move' });
    serving.idle -= 1;
    expect(await left).to.deep.equal([request]);
    expect(leaving.connections).to.equal(6);
  });

  it('waits for a TLS handshake under way, and not for long when all of the server stops', async () => {
    const callbacks: Array<() => void> = [];
    const handshakes = { count: 1, onChange: (callback: () => void) => void callbacks.push(callback) };
    const leaving = () => leave(new FakeServing({}), undefined, handshakes);
    let isGone = false;
    const left = leaving()
      .begin({ graceMs: 60_000, idle: 'move' })
      .then(() => (isGone = true));
    await setImmediate();
    expect(isGone).to.equal(false);
    const beganMs = performance.now();
    expect(await leaving().begin({ graceMs: 400, idle: 'close' })).to.deep.equal([]);
    expect(performance.now() - beganMs).to.be.at.least(200 - 1);
    handshakes.count = 0;
    for (const callback of callbacks) callback();
    expect(await left).to.equal(true);
  });

  it('takes the shorter grace time of two orders', async () => {
    const serving = new FakeServing({ requests: [request] });
    const leaving = leave(serving);
    const left = leaving.begin({ graceMs: 60_000, idle: 'close' });
    leaving.hasten({ graceMs: 1, idle: 'close' });
    leaving.hasten({ graceMs: 60_000, idle: 'close' });
    expect(await left).to.deep.equal([request]);
  });

  it('waits for a grace time that no timer can hold', async () => {
    const serving = new FakeServing({ requests: [request] });
    const left = leave(serving).begin({ graceMs: Number.MAX_SAFE_INTEGER, idle: 'keep' });
    await setImmediate();
    await setImmediate();
    serving.answerAll();
    expect(await left).to.deep.equal([]);
  });

  it('counts post hooks as work', async () => {
    const serving = new FakeServing({ pendingHooks: 1 });
    expect(await leave(serving).begin({ graceMs: 1, idle: 'close' })).to.deep.equal([]);
    expect(serving.stats.pendingHooks).to.equal(1);
  });

  it('lets connections move when told so, and waits for those under way', async () => {
    const serving = new FakeServing({});
    const { mover, arrive } = busyMover();
    let isOver = false;
    const left = leave(serving, mover)
      .begin({ graceMs: 60_000, idle: 'move' })
      .finally(() => (isOver = true));
    expect(serving.orders).to.deep.equal(['moveWith', 'drain']);
    await setImmediate();
    expect(isOver).to.equal(false);
    arrive();
    expect(await left).to.deep.equal([]);
  });

  it('lets them move by a later order, too', async () => {
    const serving = new FakeServing({ idle: 1 });
    const leaving = leave(serving, busyMover().mover);
    const left = leaving.begin({ graceMs: 1, idle: 'keep' });
    leaving.hasten({ graceMs: 1, idle: 'move' });
    expect(serving.orders).to.include('moveWith');
    await left;
  });

  it('does not wait for those under way when the grace time ends, and lets none begin when told to close', async () => {
    const { mover } = busyMover();
    const leaving = leave(new FakeServing({}), mover);
    const left = leaving.begin({ graceMs: 1, idle: 'move' });
    leaving.hasten({ graceMs: 1, idle: 'close' });
    expect(mover.hasRoom).to.equal(false);
    expect(await left).to.deep.equal([]);
  });
});
