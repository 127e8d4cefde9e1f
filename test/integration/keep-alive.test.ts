import { expect } from 'chai';
import { header, text } from '../helpers/response-reader.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { handTime } from '../worker/helpers/hand-time.ts';
import { answer, get, scenario, withServer } from '../worker/helpers/with-server.ts';
import { withService } from '../worker/helpers/with-service.ts';

const hello = answer('hello');
const http10 = (headers = '') => `GET / HTTP/1.0\r\n${headers}\r\n`;

describe('a connection', () => {
  it(
    'is kept by HTTP/1.1',
    withServer(hello, {}, async ({ connect, server }) => {
      const client = await connect();
      for (let times = 0; times < 3; times += 1) {
        const response = await client.request(get());
        expect(text(response)).to.equal('hello');
        expect(response.version).to.equal('HTTP/1.1');
        expect(header(response, 'connection')).to.equal(undefined);
      }
      expect(server.counters).to.include({ connections: 1, requests: 3, activeRequests: 0 });
    }),
  );

  it(
    'ends when the client says Connection: close',
    withServer(hello, {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(get('/', 'Connection: close\r\n'));
      expect(header(response, 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'ends when the application says Connection: close',
    withServer(answer('hello', [['Connection', 'close']]), {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(get());
      expect(header(response, 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'ends after an HTTP/1.0 response',
    withServer(hello, {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(http10());
      expect([text(response), header(response, 'connection')]).to.deep.equal(['hello', 'close']);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'is kept by HTTP/1.0 when the client asks for it and the length is known',
    withServer(hello, {}, async ({ connect }) => {
      const client = await connect();
      for (let times = 0; times < 2; times += 1) {
        const response = await client.request(http10('Connection: keep-alive\r\n'));
        expect([text(response), header(response, 'connection')]).to.deep.equal(['hello', 'keep-alive']);
      }
    }),
  );

  it(
    'tells the end of an HTTP/1.0 response of unknown length by its own',
    withServer(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return new Set(['a', 'b']);
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(http10('Connection: keep-alive\r\n'));
        const response = await client.response();
        expect([text(response), response.framing, header(response, 'connection')]).to.deep.equal([
          'ab',
          'close',
          'close',
        ]);
        expect(await client.closed()).to.equal('fin');
      },
    ),
  );

  it(
    'ends after each response with keepalive false',
    withServer(hello, { keepalive: false }, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(get());
      expect(header(response, 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'tells how long it is kept, when keepAliveHeader is on, and says close when it is not',
    withServer(hello, { keepAliveHeader: true, keepalive: '30s' }, async ({ connect }) => {
      const client = await connect();
      for (const request of [get(), http10('Connection: keep-alive\r\n')]) {
        const response = await client.request(request);
        expect([header(response, 'connection'), header(response, 'keep-alive')]).to.deep.equal([
          'keep-alive',
          'timeout=30',
        ]);
      }
      const last = await client.request(get('/', 'Connection: close\r\n'));
      expect([header(last, 'connection'), header(last, 'keep-alive')]).to.deep.equal(['close', undefined]);
    }),
  );

  it(
    'tells how many requests it still takes, when keepAliveHeader is on and they are limited',
    withServer(hello, { keepAliveHeader: true, maxRequestsPerConnection: 3 }, async ({ connect }) => {
      const client = await connect();
      client.send(get().repeat(3));
      const told = (await client.responses(3)).map((response) => header(response, 'keep-alive'));
      expect(told).to.deep.equal(['timeout=65, max=2', 'timeout=65, max=1', undefined]);
    }),
  );

  it(
    'ends after maxRequestsPerConnection, announced by the last response',
    withServer(hello, { maxRequestsPerConnection: 3 }, async ({ connect, server }) => {
      const client = await connect();
      const closes: Array<string | undefined> = [];
      for (let times = 0; times < 3; times += 1) closes.push(header(await client.request(get()), 'connection'));
      expect(closes).to.deep.equal([undefined, undefined, 'close']);
      expect(await client.closed()).to.equal('fin');
      expect(server.counters.requests).to.equal(3);
    }),
  );

  it(
    'ends after maxRequestsPerConnection whatever was pipelined behind, and the answers can be read',
    withServer(hello, { maxRequestsPerConnection: 3 }, async ({ connect, server }) => {
      const client = await connect();
      client.send(get().repeat(10));
      const responses = await client.responses(3);
      expect(responses.map((response) => header(response, 'connection'))).to.deep.equal([
        undefined,
        undefined,
        'close',
      ]);
      client.send(get().repeat(1000));
      expect(await client.closed()).to.equal('fin');
      expect([server.counters.requests, client.reader.responses.length]).to.deep.equal([3, 3]);
    }),
  );

  it(
    'that is idle ends in order after keepalive seconds',
    withServer(hello, { keepalive: 0.1 }, async ({ connect }) => {
      const client = await connect();
      expect(header(await client.request(get()), 'connection')).to.equal(undefined);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'has all of headTimeout for a head that began long after it',
    scenario(() => {
      const time = handTime();
      return withService(
        (parts) => new Service({ ...parts, handler: wsgiHandler(hello), time }),
        { headTimeout: '10s', keepalive: '60s' },
        async ({ connect }) => {
          const client = await connect();
          for (let times = 0; times < 2; times += 1) {
            await time.flow(20_000);
            client.send('GET / HT');
            await time.flow(5_000);
            client.socket.write('TP/1.1\r\nHost: a\r\n\r\n');
            expect(text(await client.response())).to.equal('hello');
          }
        },
      );
    }),
  );

  it(
    'that never sends anything ends without a word',
    withServer(hello, { keepalive: 0.1 }, async ({ connect }) => {
      const client = await connect();
      expect(await client.closed()).to.equal('fin');
      expect(client.received).to.equal('');
    }),
  );
});
