import { expect } from 'chai';
import type { App } from '../../src/index.ts';
import { listen, wsgi } from '../../src/index.ts';
import { header, text } from '../helpers/response-reader.ts';
import { connect as connectTo } from '../helpers/raw-client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, deferred, get, withServer } from '../worker/helpers/with-server.ts';

const hello = answer('hello');
const options: wsgi.ServerOptions = { logOutput: false };

/** Answers when `gate` opens, in one piece or (for /stream) with its head at once. */
function slow() {
  const gate = deferred();
  const started = deferred();
  const app: App = (env, startResponse) => {
    startResponse('200 OK', []);
    started.resolve();
    if (env.PATH_INFO === '/quick') return ['quick'];
    return (async function* () {
      if (env.PATH_INFO === '/stream') yield 'first ';
      await gate.promise;
      yield 'done';
    })();
  };
  return { gate, started, app };
}

describe('stop()', () => {
  it('resolves the promise of server(), and the address is free again', async () => {
    const server = wsgi.server(listen(['127.0.0.1', 0]), hello, options);
    const address = (await server.ready) as { host: string; port: number };
    expect(server.address).to.deep.equal(address);
    await server.stop();
    await server;
    const again = wsgi.server(listen([address.host, address.port]), hello, options);
    await again.ready;
    await again.stop();
  });

  it('may be called before the server is ready, and more than once', async () => {
    const server = wsgi.server(listen(['127.0.0.1', 0]), hello, options);
    expect(server.address).to.equal(undefined);
    await Promise.all([server.stop(), server.stop(), server]);
    await server.stop();
  });

  it(
    'refuses new connections',
    withServer(hello, {}, async ({ server, target }) => {
      await server.stop();
      const error = await connectTo(target).then(
        () => undefined,
        (reason: NodeJS.ErrnoException) => reason.code,
      );
      expect(error).to.equal('ECONNREFUSED');
    }),
  );

  it(
    'closes idle connections in order',
    withServer(hello, {}, async ({ connect, server }) => {
      const used = await connect();
      const fresh = await connect();
      await used.request(get());
      await waitFor('both connections', () => server.counters.connections === 2);
      const stopping = server.stop({ graceMs: 5000 });
      expect(await Promise.all([used.closed(), fresh.closed()])).to.deep.equal(['fin', 'fin']);
      used.close();
      fresh.close();
      await stopping;
    }),
  );

  it('finishes requests that are being answered, and says that they are the last', async () => {
    const { gate, started, app } = slow();
    await withServer(app, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(get());
      await started.promise;
      const stopping = server.stop({ graceMs: 5000 });
      gate.resolve();
      const response = await client.response();
      expect([text(response), header(response, 'connection')]).to.deep.equal(['done', 'close']);
      expect(await client.closed()).to.equal('fin');
      client.close();
      await stopping;
    })();
  });

  it('closes a connection whose response had promised to keep it', async () => {
    const { gate, app } = slow();
    await withServer(app, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(get('/stream'));
      await waitFor('the first part', () => client.received.includes('first'));
      const stopping = server.stop({ graceMs: 5000 });
      gate.resolve();
      expect(text(await client.response())).to.equal('first done');
      expect(await client.closed()).to.equal('fin');
      client.close();
      await stopping;
    })();
  });

  it('answers what was pipelined behind a busy request up to the one that says close', async () => {
    const { gate, started, app } = slow();
    await withServer(app, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(get() + get('/quick'));
      await started.promise;
      const stopping = server.stop({ graceMs: 5000 });
      gate.resolve();
      expect(header(await client.response(), 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
      client.close();
      await stopping;
    })();
  });

  it(
    'waits for the rest of a head that has begun to arrive',
    withServer(hello, {}, async ({ connect, server }) => {
      const client = await connect();
      // In one packet with a request whose answer shows that it has arrived.
      await client.request(`${get()}GET / HTTP/1.1\r\nHost: a\r\n`);
      const stopping = server.stop({ graceMs: 5000 });
      const response = await client.request('\r\n');
      expect([text(response), header(response, 'connection')]).to.deep.equal(['hello', 'close']);
      expect(await client.closed()).to.equal('fin');
      client.close();
      await stopping;
    }),
  );

  it('cuts what is not done when the grace time ends, aborts its signal and logs it', async () => {
    const aborted = deferred();
    const started = deferred();
    let outcome: string | undefined;
    const app: App = (env, startResponse) => {
      env['evy.signal'].addEventListener('abort', () => aborted.resolve());
      env['evy.posthooks'].push([(given) => (outcome = given['evy.response']?.outcome)]);
      startResponse('200 OK', []);
      started.resolve();
      return new Promise<string[]>(() => {});
    };
    await withServer(app, {}, async ({ connect, server, logged }) => {
      const client = await connect();
      client.send(get('/slow'));
      await started.promise;
      await server.stop({ graceMs: 50 });
      await aborted.promise;
      await client.closed();
      expect(outcome).to.equal('cut');
      expect(logged('request.cut')).to.have.lengthOf(1);
      expect(logged('request.cut')[0]).to.include({ method: 'GET', target: '/slow', peer: '127.0.0.1' });
    })();
  });
});
