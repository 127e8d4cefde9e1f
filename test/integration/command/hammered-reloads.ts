/** Rolling reloads under pipelined, cut and posted requests: the tests of `npm test`, and with more reloads those of `npm run test:long`. */
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder } from '../../helpers/files.ts';
import { hammer, type HammerResult, type HammerTarget } from '../../helpers/hammer.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, crewOf, onTwo, reload, serve } from './serving.ts';

const connections = 30;
const noFault = { wrong: 0, lost: 0, closed: 0, examples: [] };

/** Reloads under the hammer; between two of them each connection has had an answer on average. */
async function hammered(evy: EvyProcess, target: HammerTarget, reloads: number): Promise<HammerResult> {
  const clients = hammer(target, connections);
  const answersAbove = (count: number) =>
    waitFor('answers', () => clients.result.answered > count).catch((error: unknown) => {
      throw new Error(`${JSON.stringify(clients.result)}\n${evy.output()}`, { cause: error });
    });
  await answersAbove(connections);
  for (let times = 1; times <= reloads; times += 1) {
    await reload(evy);
    await answersAbove(clients.result.answered + connections);
  }
  await crewOf(evy, [reloads + 1, reloads + 1]);
  await answersAbove(clients.result.answered + connections);
  return clients.stop();
}

export function hammeredReloads(reloads: number): void {
  for (const kind of ['wsgi', 'fetch'] as const) {
    it(`keep every connection of a ${kind} application, with every response its own`, async () => {
      const evy = await serve([...onTwo, application(`hammered-${kind}`)]);
      const result = await hammered(evy, { port: evy.port }, reloads);
      expect(result).to.deep.include({ ...noFault, announced: 0, answered: result.sent });
      expect(result.moved).to.be.greaterThan(20);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('lose nothing of a node:http application, and announce what they close', async () => {
    const evy = await serve([...onTwo, '--grace', '10s', application('hammered-node')]);
    const result = await hammered(evy, { port: evy.port }, reloads);
    expect(result).to.deep.include(noFault);
    expect(result.moved).to.be.greaterThan(0);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('lose nothing over TLS, and announce what they close', async () => {
    const tls = ['--certfile', certfile, '--keyfile', keyfile];
    const evy = await serve(['--bind', 'tls:127.0.0.1:0', ...tls, '--workers', '2', application('hammered-wsgi')]);
    const result = await hammered(evy, { port: evy.port, tls: trusted }, reloads);
    expect(result).to.deep.include(noFault);
    expect(result.announced).to.be.greaterThan(0);
    expect(evy.seen('connections.moved')).to.deep.equal([]);
  });

  it('keep connections of a unix socket as well', async () => {
    const path = join(await tempFolder(), 'evy.sock');
    const evy = await serve(['--bind', `unix:${path}`, '--workers', '2', application('hammered-wsgi')]);
    const result = await hammered(evy, { path }, reloads);
    expect(result).to.deep.include({ ...noFault, announced: 0, answered: result.sent });
    expect(result.moved).to.be.greaterThan(20);
  });
}
