import { expect } from 'chai';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../../src/shared/log/log.ts';
import { listenUnpolled } from '../../../src/shared/node-private/node-private.ts';
import type { Transport } from '../../../src/shared/node-private/node-private.ts';
import { Gatekeeper } from '../../../src/worker/accepting/gatekeeper.ts';
import { makeServer } from '../../../src/worker/accepting/make-server.ts';
import { Intake } from '../../../src/worker/accepting/intake.ts';
import type { IdleConnection } from '../../../src/worker/transport/idle.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

async function guarded(limit: number, idle: () => IdleConnection[] = () => []) {
  const accepted: Transport[] = [];
  const intake = new Intake();
  const accept = (transport: Transport) => void accepted.push(transport);
  const server = makeServer(undefined, { takesRaw: true, accept }, intake);
  const listening = await listenUnpolled({ kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 }, 8);
  await listening.serve(server, 8);
  const clients: Socket[] = [];
  onEnd(() => {
    for (const connection of [...clients, ...accepted]) connection.destroy();
    server.close();
  });
  return {
    accepted,
    gate: new Gatekeeper([server], limit, silentLogger, { intake, idle }),
    /** Resolves when the kernel has it, whoever accepts it later. */
    arrive: async () => {
      const client = connectSocket(listening.address!.port, '127.0.0.1');
      clients.push(client);
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
      for (let turns = 0; turns < 5; turns += 1) await setImmediate();
    },
  };
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
    const gone: object[] = [];
    const idle = new Set<IdleConnection>();
    for (const key of [{}, {}]) {
      const one: IdleConnection = {
        key,
        hasAsked: true,
        idleMs: 0,
        bytesRead: 0,
        get isStillIdle() {
          return idle.has(one);
        },
        closeUnannounced() {},
        giveWay: () => {
          idle.delete(one);
          gone.push(key);
        },
      };
      idle.add(one);
    }
    const [first, second] = [...idle].map(({ key }) => key);
    const { accepted, gate, arrive } = await guarded(2, () => [...idle]);
    gate.update(2);
    for (let clients = 0; clients < 3; clients += 1) await arrive();
    await waitFor('two of them', () => accepted.length === 2);
    gate.update(1);
    await waitFor('the third one', () => accepted.length === 3);
    expect(gone).to.deep.equal([first, second]);
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
});
