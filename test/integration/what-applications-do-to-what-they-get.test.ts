import { expect } from 'chai';
import type { App } from '../../src/index.ts';
import { text } from '../helpers/response-reader.ts';
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
      expect(logged('access-log.failed')[0]).to.include({ error: 'no room' });
    }),
  );
});
