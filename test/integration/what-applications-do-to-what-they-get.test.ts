import { expect } from 'chai';
import type { App, Environ } from '../../src/index.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { withServer } from '../worker/helpers/with-server.ts';

const head = (method: string, path = '/') => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('what an application does to what it got', () => {
  const changesMethod: App = (env, startResponse) => {
    env.REQUEST_METHOD = 'GET';
    env.SERVER_PROTOCOL = 'HTTP/1.0';
    startResponse('200 OK', []);
    return ['body'];
  };
  it(
    'does not put a body behind the head of a HEAD',
    withServer(changesMethod, {}, async ({ connect }) => {
      const client = await connect();
      client.send(head('HEAD') + head('GET'), 'HEAD', 'GET');
      const [first, second] = await client.responses(2);
      expect([text(first!), text(second!)]).to.deep.equal(['', 'body']);
    }),
  );

  const endsErrors: App = (env, startResponse) => {
    env['wsgi.errors'].write(`seen ${env.PATH_INFO}\n`);
    env['wsgi.errors'].end('the end\n');
    env['wsgi.errors'].destroy();
    startResponse('200 OK', []);
    return [];
  };
  it(
    'cannot take wsgi.errors from other requests',
    withServer(endsErrors, {}, async ({ connect, logged }) => {
      const client = await connect();
      await client.request(head('GET', '/one'));
      await client.request(head('GET', '/two'));
      expect(logged('app.errors').map((line) => line['text'])).to.deep.equal([
        'seen /one',
        'the end',
        'seen /two',
        'the end',
      ]);
    }),
  );

  /** Freezes its environment; what became of its hooks is in `hooks`. */
  const freezes =
    (hooks: Environ[], isAsync: boolean): App =>
    (env, startResponse) => {
      env['evy.posthooks'].push([(given: Environ) => hooks.push(given)]);
      Object.freeze(env);
      startResponse('200 OK', []);
      return isAsync ? Promise.resolve(['frozen']) : ['frozen'];
    };
  for (const isAsync of [false, true]) {
    it(`is served on, with its hooks and lines, when it froze its environment, ${isAsync ? 'async' : 'sync'}`, async () => {
      const hooks: Environ[] = [];
      await withServer(freezes(hooks, isAsync), { logFormat: '%(outcome)s' }, async ({ connect, accessLines }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
        // By then it is frozen.
        expect(text(await client.response())).to.equal('frozen');
        client.send(`1\r\nx\r\n0\r\nX-Trailer: 1\r\n\r\n${head('GET')}${head('GET')}`);
        expect((await client.responses(2)).map(text)).to.deep.equal(['frozen', 'frozen']);
        await waitFor('the hooks', () => hooks.length === 3);
        await waitFor('the lines', () => accessLines.length === 3);
        expect(accessLines).to.deep.equal(['sent', 'sent', 'sent']);
      })();
    });
  }

  /** Yields pieces that are large enough to be sent as they are, and takes each away again. */
  const takesBack: App = (env, startResponse) => {
    if (env.PATH_INFO === '/next') {
      startResponse('200 OK', []);
      return ['next'];
    }
    startResponse('200 OK', [['Content-Length', '1000000']]);
    return (function* () {
      for (let count = 0; count < 200; count += 1) {
        const piece = new Uint8Array(5000).fill(97);
        yield piece;
        structuredClone(piece.buffer, { transfer: [piece.buffer] });
      }
    })();
  };
  it(
    'is cut and told of when it takes a piece of its body back, and nothing takes its place',
    withServer(takesBack, { logFormat: '%(target)s %(outcome)s' }, async ({ connect, accessLines, logged }) => {
      const client = await connect();
      client.send(head('GET', '/') + head('GET', '/next'));
      await client.closed();
      await waitFor('the line', () => accessLines.length > 0);
      // The reset may have taken along what the client had not read yet.
      expect(client.received.lastIndexOf('HTTP/1.1')).to.be.at.most(0);
      expect(accessLines).to.deep.equal(['/ failed']);
      expect(logged('app.failed')).to.have.length(1);
      expect(logged('app.failed')[0]).to.include({ code: 'APP_BAD_BODY', request: 'GET /' });
    }),
  );

  const fails = {
    write: () => {
      throw new Error('no room');
    },
  };
  const plain: App = (_env, startResponse) => {
    startResponse('200 OK', []);
    return ['fine'];
  };
  it(
    'is logged when its access log throws, and harms no request',
    withServer(plain, { log: fails }, async ({ connect, logged }) => {
      const client = await connect();
      expect(text(await client.request(head('GET')))).to.equal('fine');
      expect(text(await client.request(head('GET')))).to.equal('fine');
      await waitFor('the report', () => logged('access-log.failed').length > 0);
      expect(logged('access-log.failed')[0]).to.include({ error: 'no room' });
    }),
  );
});
