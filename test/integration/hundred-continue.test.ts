import { expect } from 'chai';
import type { App } from '../../src/index.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, echo, get, scenario, withServer } from '../worker/helpers/with-server.ts';

const head = (length: number, version = '1.1') =>
  `POST / HTTP/${version}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
const continued = 'HTTP/1.1 100 Continue\r\n\r\n';

describe('100 Continue', () => {
  it(
    'is sent at the first read, and the body follows',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      client.send(head(5));
      await client.bytes(continued.length);
      expect(client.received).to.equal(continued);
      client.send('hello');
      const response = await client.response();
      expect(text(response)).to.equal('hello');
      expect(response.interim.map(({ status }) => status)).to.deep.equal([100]);
      expect(text(await client.request(get()))).to.equal('');
    }),
  );

  it(
    'carries the headers of the application',
    withServer(
      async (env, startResponse) => {
        env['wsgi.input'].setHundredContinueResponseHeaders([
          ['Hundred-Continue-Header-1', 'H1'],
          ['Hundred-Continue-Header-2', 'H2'],
        ]);
        return echo(env, startResponse);
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(head(1));
        await client.bytes(continued.length + 1);
        client.send('x');
        const { interim } = await client.response();
        expect(interim.map(({ headers }) => headers)).to.deep.equal([
          [
            ['Hundred-Continue-Header-1', 'H1'],
            ['Hundred-Continue-Header-2', 'H2'],
          ],
        ]);
      },
    ),
  );

  it(
    'is sent several times when the application wants it so, each with its own headers',
    withServer(
      async (env, startResponse) => {
        const input = env['wsgi.input'];
        for (const value of ['1', '2', '3']) {
          input.setHundredContinueResponseHeaders([['Step', value]]);
          input.sendHundredContinueResponse();
        }
        return echo(env, startResponse);
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(head(1));
        await waitFor('three of them', () => client.received.includes('Step: 3'));
        client.send('x');
        const response = await client.response();
        expect(response.interim.map((one) => header(one, 'step'))).to.deep.equal(['1', '2', '3']);
        expect(text(response)).to.equal('x');
      },
    ),
  );

  it(
    'is not sent when nobody reads the body, and the connection ends since the client may send it or not',
    withServer(answer('no'), {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(head(5));
      expect([text(response), response.interim, header(response, 'connection')]).to.deep.equal(['no', [], 'close']);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'is not sent when the body came along, and the connection is kept',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(`${head(5)}hello`);
      expect([text(response), response.interim, header(response, 'connection')]).to.deep.equal([
        'hello',
        [],
        undefined,
      ]);
      expect(text(await client.request(get()))).to.equal('');
    }),
  );

  it(
    'closes the connection when a header of it cannot be sent: the client may send its body now or not',
    withServer(
      async (env, startResponse) => {
        env['wsgi.input'].setHundredContinueResponseHeaders([['X-Bad', 'a\r\nb']]);
        await env['wsgi.input'].read();
        startResponse('200 OK', []);
        return [];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        const response = await client.request(head(5));
        expect([response.status, header(response, 'connection')]).to.deep.equal([500, 'close']);
        expect(await client.closed()).to.equal('fin');
      },
    ),
  );

  it(
    'is not sent to HTTP/1.0',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      client.send(head(5, '1.0'));
      client.send('hello');
      const response = await client.response();
      expect([text(response), response.interim]).to.deep.equal(['hello', []]);
    }),
  );

  it(
    'is not sent once the response has begun',
    withServer(
      async (env, startResponse) => {
        const write = startResponse('200 OK', []);
        await write('a');
        env['wsgi.input'].sendHundredContinueResponse();
        return ['b'];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        const response = await client.request(head(5));
        expect([text(response), response.interim]).to.deep.equal(['ab', []]);
      },
    ),
  );

  it(
    'is not sent for a request without body or without Expect',
    withServer(
      async (env, startResponse) => {
        env['wsgi.input'].sendHundredContinueResponse();
        return echo(env, startResponse);
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        expect((await client.request(get('/', 'Expect: 100-continue\r\n'))).interim).to.deep.equal([]);
        client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n');
        client.send('x');
        expect((await client.response()).interim).to.deep.equal([]);
      },
    ),
  );

  it(
    'does not count as body in the log or as part of what hooks are told wrongly',
    scenario(() => {
      const reports: unknown[] = [];
      const app: App = (env, startResponse) => {
        env['evy.posthooks'].push([(given) => reports.push(given['evy.response']?.bytesSent)]);
        return echo(env, startResponse);
      };
      return withServer(app, { logFormat: '%(body_length)s' }, async ({ connect, accessLines }) => {
        const client = await connect();
        client.send(head(5));
        await client.bytes(continued.length);
        client.send('hello');
        await client.response();
        await waitFor('the hook', () => reports.length === 1);
        await waitFor('the access line', () => accessLines.length > 0);
        expect(accessLines).to.deep.equal(['5']);
        expect(reports).to.deep.equal([client.bytesReceived]);
      });
    }),
  );

  it(
    'is answered with 417 when something else is expected',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request('POST / HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\n');
      expect(response.status).to.equal(417);
      expect(await client.closed()).to.equal('fin');
    }),
  );
  const bad: App = async (env, startResponse) => {
    env['wsgi.input'].setHundredContinueResponseHeaders([['A', 'b\r\nC: d']]);
    return echo(env, startResponse);
  };
  it(
    'with a header that could be forged is an error of the application',
    withServer(bad, {}, async ({ connect, logged }) => {
      const client = await connect();
      const response = await client.request(head(5));
      expect([response.status, response.interim]).to.deep.equal([500, []]);
      expect(logged('app.failed').map(({ code }) => code)).to.deep.equal(['APP_BAD_HEADER']);
    }),
  );
});
