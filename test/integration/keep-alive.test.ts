import { expect } from 'chai';
import { header, text } from '../helpers/response-reader.ts';
import { answer, get, withServer } from '../worker/helpers/with-server.ts';

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
    'that is idle ends in order after keepalive seconds',
    withServer(hello, { keepalive: 0.1 }, async ({ connect }) => {
      const client = await connect();
      expect(header(await client.request(get()), 'connection')).to.equal(undefined);
      expect(await client.closed()).to.equal('fin');
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
