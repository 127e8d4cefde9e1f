import { expect } from 'chai';
import { connect } from '../../helpers/raw-client.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, crewOf, hasEnded, refusalOf, serve } from './serving.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const options = ['--port', '0', '--workers', '1', '--stuck-timeout', '2s', '--access-log', '-'];

async function spin(evy: EvyProcess): Promise<void> {
  (await connect({ port: evy.port })).send(get('/spin'));
}

describe('a worker that is stuck', () => {
  it('is told of and replaced, however long the targets of its requests are', async function () {
    const evy = await serve([...options, application('blocks')]);
    const [worker] = await crewOf(evy, [1]);
    const target = `/never?${'"'.repeat(8_100)}`;
    const clients = await Promise.all(Array.from({ length: 110 }, () => connect({ port: evy.port })));
    for (const client of clients) client.send(get(target));
    await waitFor('responses that have begun', () => clients.every(({ received }) => received.includes('begun')));
    await spin(evy);

    const ofIt = { where: (line: Record<string, unknown>) => line['pid'] === worker!.pid };
    expect(await evy.until('worker.busy', ofIt)).to.include({ requests: 111 });
    expect(await evy.until('worker.stuck', ofIt)).to.include({ requests: 111 });
    await evy.until('request.cut', { ...ofIt, times: 100 });
    for (const line of evy.seen('request.cut')) expect(line.target).to.equal(`${target.slice(0, 256)}…`);
    await evy.until('worker.killed', ofIt);
    await evy.until('worker.exit', ofIt);
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('ends by itself when the master was told of it and has died since', async function () {
    const evy = await serve([...options, application('blocks')]);
    const [worker] = await crewOf(evy, [1]);
    const { port } = evy;
    await spin(evy);
    await evy.until('worker.busy');
    evy.signal('SIGSTOP');
    // It writes that when it is read as stuck, and stands still from then on.
    await waitFor('its last words', () => evy.output('stdout').includes('/spin'));
    evy.signal('SIGKILL');
    await waitFor('its end', () => hasEnded(worker!.pid));
    await waitFor('a port that is free', async () => (await refusalOf({ port })) === 'ECONNREFUSED');
  });

  it('ends by itself when the master does not come to it, and is told of when that does', async function () {
    const evy = await serve([...options, application('blocks')]);
    const [worker] = await crewOf(evy, [1]);
    await spin(evy);
    await evy.until('worker.busy');
    evy.signal('SIGSTOP');
    await waitFor('its end', () => hasEnded(worker!.pid));
    evy.signal('SIGCONT');
    await evy.until('worker.stuck');
    expect(await evy.until('request.cut')).to.include({ target: '/spin' });
    expect(await evy.until('worker.exit')).to.include({ signal: 'SIGKILL', error: 'its event loop was stuck' });
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
