import { expect } from 'chai';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../../src/shared/log/log.ts';
import { listenUnpolled } from '../../../src/shared/node-private/node-private.ts';
import type { Transport } from '../../../src/shared/node-private/node-private.ts';
import { Gatekeeper } from '../../../src/worker/accepting/gatekeeper.ts';
import { makeServer } from '../../../src/worker/accepting/make-server.ts';
import { closeToClients, Intake } from '../../../src/worker/accepting/intake.ts';
import type { IdleConnection } from '../../../src/worker/transport/idle.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

interface Circumstances {
  idle?: () => IdleConnection[];
  /** What happens before the server listens. */
  before?: (gate: Gatekeeper) => void;
}

async function guarded(limit: number, { idle = () => [], before = () => {} }: Circumstances = {}) {
  const accepted: Transport[] = [];
  const intake = new Intake();
  const onAccept: Array<() => void> = [];
  const accept = (transport: Transport) => {
    accepted.push(transport);
    for (const callback of onAccept) callback();
  };
  const server = makeServer(undefined, { takesRaw: true, accept }, intake);
  const gate = new Gatekeeper([server], limit, silentLogger, { intake, idle });
  before(gate);
  const listening = await listenUnpolled({ kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 }, 8);
  await listening.serve(server, 8);
  const clients: Socket[] = [];
  onEnd(() => {
    for (const connection of [...clients, ...accepted]) connection.destroy();
    server.close();
  });
  return {
    accepted,
    server,
    gate,
    /** Calls back after each connection that is served. */
    onAccept: (callback: () => void) => void onAccept.push(callback),
    /** Resolves when the kernel has it, whoever accepts it later. */
    arrive: async () => {
      const client = connectSocket(listening.address!.port, '127.0.0.1');
      clients.push(client);
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
      for (let turns = 0; turns < 5; turns += 1) await setImmediate();
    },
  };
}

/** Idle connections that have had a request, and those of them that gave way. */
function idleConnections(count: number) {
  const gone: IdleConnection[] = [];
  const connections = Array.from({ length: count }, () => {
    const one: IdleConnection = {
      key: {},
      hasAsked: true,
      idleMs: 0,
      bytesRead: 0,
      get isStillIdle() {
        return !gone.includes(one);
      },
      closeUnannounced() {},
      giveWay: () => void gone.push(one),
    };
    return one;
  });
  return { connections, gone, idle: () => connections.filter((one) => one.isStillIdle) };
}

describe('a gatekeeper', () => {
  it('accepts nothing while it rests, and what has waited after that', async () => {
    const { accepted, gate, arrive } = await guarded(100);
    gate.rest(true);
    await arrive();
    gate.update(0);
    await arrive();
    expect(accepted).to.have.length(0);
    gate.rest(false);
    await waitFor('both', () => accepted.length === 2);
  });

  it('accepts nothing while it is full, also when it has rested', async () => {
    const { accepted, gate, arrive } = await guarded(1);
    await arrive();
    await waitFor('the first one', () => accepted.length === 1);
    gate.update(1);
    gate.rest(true);
    gate.rest(false);
    await arrive();
    expect(accepted).to.have.length(1);
    gate.update(0);
    await waitFor('the second one', () => accepted.length === 2);
  });

  it('accepts one that waits in place of an idle one, and no more of them', async () => {
    const { connections, idle, gone } = idleConnections(2);
    const { accepted, gate, arrive } = await guarded(2, { idle });
    gate.update(2);
    for (let clients = 0; clients < 3; clients += 1) await arrive();
    await waitFor('two of them', () => accepted.length === 2);
    gate.update(1);
    await waitFor('the third one', () => accepted.length === 3);
    expect(gone).to.deep.equal(connections);
  });

  it('asks after every few connections how many more there may be, and accepts no more than these', async () => {
    const { accepted, gate, arrive } = await guarded(100);
    const answers = [20, 2, 0];
    let asked = 0;
    gate.ask(() => answers[asked++] ?? 1);
    const looks = [8, 10].map((connections) => {
      gate.update(connections - 1);
      const before = asked;
      gate.update(connections);
      return [before, asked];
    });
    expect(looks).to.deep.equal([
      [1, 2],
      [2, 3],
    ]);
    await arrive();
    expect(accepted).to.have.length(0);
    gate.look();
    await waitFor('the one that waited', () => accepted.length === 1);
  });

  it('accepts nothing if it was full before the server listened', async () => {
    let room = 0;
    const { accepted, gate, arrive } = await guarded(100, { before: (early) => early.ask(() => room) });
    await arrive();
    expect(accepted).to.have.length(0);
    room = 10;
    gate.look();
    await waitFor('the one that waited', () => accepted.length === 1);
  });

  it('counts connections that a stop holds back, and those of them that are served again', async () => {
    const { accepted, gate, arrive } = await guarded(2);
    gate.intake.holdBack();
    for (let clients = 0; clients < 4; clients += 1) await arrive();
    await waitFor('those within the limit', () => gate.intake.waiting === 2);
    for (let turns = 0; turns < 5; turns += 1) await setImmediate();
    expect(gate.intake.accepted).to.equal(2);
    expect(gate.isFull).to.equal(true);
    gate.intake.resume();
    expect(accepted).to.have.length(2);
    expect(gate.isFull, 'they have been served, and none was reported as open').to.equal(false);
  });

  it('lets a stop serve clients beyond the limit one after the other', async () => {
    const { accepted, server, gate, arrive, onAccept } = await guarded(1);
    // Each connection ends as soon as it has been served.
    onAccept(() => {
      gate.update(1);
      accepted.at(-1)!.destroy();
      gate.update(0);
    });
    gate.rest(true);
    for (let clients = 0; clients < 5; clients += 1) await arrive();
    gate.rest(false);
    await closeToClients([server], gate, 30_000);
    expect(accepted).to.have.length(5);
    expect(server.listening).to.equal(false);
  });

  it('lets a stop end although all connections stay in use', async () => {
    const { accepted, server, gate, arrive, onAccept } = await guarded(1);
    onAccept(() => gate.update(accepted.length));
    for (let clients = 0; clients < 3; clients += 1) await arrive();
    await closeToClients([server], gate, 100);
    expect(accepted).to.have.length(1);
    expect(server.listening).to.equal(false);
  });

  it('searches once for several connections that give way', async () => {
    const { connections, idle, gone } = idleConnections(8);
    let searches = 0;
    const search = () => {
      searches += 1;
      return idle();
    };
    const { accepted, gate, arrive } = await guarded(8, { idle: search });
    gate.update(8);
    for (let clients = 0; clients < 6; clients += 1) await arrive();
    await waitFor('all of them', () => accepted.length === 6);
    expect(gone).to.deep.equal(connections.slice(0, 6));
    expect(searches).to.equal(1);
  });

  it('passes over a connection that has sent something since the search', async () => {
    const { connections, idle, gone } = idleConnections(3);
    let bytesRead = 0;
    Object.defineProperty(connections[1], 'bytesRead', { get: () => bytesRead });
    const { accepted, gate, arrive } = await guarded(3, { idle });
    gate.update(3);
    await arrive();
    await waitFor('the first one', () => accepted.length === 1);
    bytesRead = 1;
    await arrive();
    await waitFor('the second one', () => accepted.length === 2);
    expect(gone).to.deep.equal([connections[0], connections[2]]);
  });

  it('rests between searches that take long, also while clients wait', async () => {
    const { idle } = idleConnections(4);
    const searches: Array<{ startedMs: number; endedMs: number }> = [];
    const search = () => {
      const startedMs = performance.now();
      while (performance.now() < startedMs + 5);
      searches.push({ startedMs, endedMs: performance.now() });
      return idle().slice(0, 1);
    };
    const { accepted, gate, arrive } = await guarded(4, { idle: search });
    gate.update(4);
    for (let clients = 0; clients < 4; clients += 1) await arrive();
    await waitFor('all of them', () => accepted.length === 4);
    for (const [index, { startedMs, endedMs }] of searches.slice(0, -1).entries())
      expect(searches[index + 1]!.startedMs - endedMs).to.be.at.least(10 * (endedMs - startedMs));
  });
});
