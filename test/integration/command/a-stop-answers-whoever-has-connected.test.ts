import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { header, type RawResponse } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, beIdle, serve, workersOf } from './serving.ts';
import { stopsUnderLoad } from './stopping.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const tls = ['--bind', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile];
const places = [
  { over: 'TCP', bind: ['--port', '0'], target: ({ port }: EvyProcess): Target => ({ port }) },
  { over: 'TLS', bind: tls, target: ({ port }: EvyProcess): Target => ({ port, tls: trusted }) },
];

/** It has its answer, and the connection ends in order. */
async function expectAnswer(client: RawClient): Promise<RawResponse> {
  const response = await client.response();
  expect(response.status).to.equal(200);
  expect(await client.closed()).to.equal('fin');
  client.close();
  return response;
}

describe('a graceful stop answers whoever has connected', () => {
  for (const kind of ['', '-fetch', '-node'])
    for (const { over, bind, target } of places) {
      const app = application(`echoes-load-id${kind}`);

      it(`before it, and asks a moment after it, for the first time or again: echoes-load-id${kind} over ${over}`, async () => {
        const evy = await serve([...bind, '--workers', '1', app]);
        const [kept, fresh, probe] = [
          await beIdle(target(evy)),
          await connect(target(evy)),
          await connect(target(evy)),
        ];
        evy.signal('SIGTERM');
        // The order has come when it says that an answer is the last one.
        await waitFor('the order', async () => header(await probe.request(get), 'connection') === 'close');
        for (const client of [kept, fresh]) {
          client.send(get);
          expect(header(await expectAnswer(client), 'connection')).to.equal('close');
        }
        expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
        expect(evy.seen('master.stopped')[0]).to.include({ closed: 0, cut: 0 });
      });

      if (over === 'TCP')
        it(`and still waits to be accepted: echoes-load-id${kind}`, async () => {
          const evy = await serve([...bind, '--workers', '2', app]);
          const workers = await workersOf(evy);
          for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
          const { port } = evy;
          const clients = await Promise.all(Array.from({ length: 20 }, () => connect({ port })));
          for (const client of clients) client.send(get);
          evy.signal('SIGTERM');
          await evy.until('worker.retiring', { times: 2 });
          for (const { pid } of workers) process.kill(pid, 'SIGCONT');
          for (const client of clients) await expectAnswer(client);
          expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
        });

      // The interfaces differ in nothing that TLS changes here.
      if (over === 'TLS' && kind !== '') continue;
      it(`all the time, over and over: echoes-load-id${kind} over ${over}`, async () => {
        await stopsUnderLoad({ app, bind, tls: over === 'TLS', times: 1 });
      });
    }

  it('on a unix socket as well', async () => {
    const evy = await serve(['--bind', 'unix:app.sock', '--workers', '2', application('echoes-load-id')]);
    const [address] = evy.addresses;
    const target: Target = { path: address!.path! };
    const workers = await workersOf(evy);
    const [kept, fresh] = [await beIdle(target), await connect(target)];
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    const waiting = await Promise.all(Array.from({ length: 20 }, () => connect(target)));
    for (const client of [kept, fresh, ...waiting]) client.send(get);
    evy.signal('SIGTERM');
    await evy.until('worker.retiring', { times: 2 });
    for (const { pid } of workers) process.kill(pid, 'SIGCONT');
    for (const client of [kept, fresh, ...waiting]) await expectAnswer(client);
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
  });

  it('and closes in order those that say nothing, within the grace time', async () => {
    const evy = await serve(['--port', '0', '--workers', '1', '--grace', '400ms', application('echoes-load-id')]);
    const { port } = evy;
    const clients = [await beIdle({ port }), await connect({ port })];
    const exit = evy.stop();
    for (const client of clients) {
      expect(await client.closed()).to.equal('fin');
      client.close();
    }
    expect(await exit).to.deep.equal({ code: 0, signal: null });
    expect(evy.seen('master.stopped')[0]).to.include({ drained: 0, closed: 2, cut: 0 });
  });
});
