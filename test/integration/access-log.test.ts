import { expect } from 'chai';
import { get, answer, withServer } from '../worker/helpers/with-server.ts';
import { waitFor } from '../helpers/wait-for.ts';

const hello = answer('hello', [['X-Cache', 'hit']]);
const logFormat = '%(status_code)s "%(request_line)s" "%(path)s" "%(user_agent)s" %(body_length)s %(outcome)s';

describe('the access log of a server', () => {
  it(
    'has what was asked and what was answered',
    withServer(
      hello,
      { logFormat: '%(scheme)s %(host)s %(path)s %(query)s %({X-Cache}o)s %({X-A}i)s %(bytes_sent)s %(outcome)s' },
      async ({ connect, accessLines }) => {
        const client = await connect();
        await client.request(get('/a?b', 'X-A: 1\r\n'));
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.match(/^http \S+ \/a b hit 1 \d+ sent$/);
        expect(accessLines[0]!.split(' ')[6]).to.equal(String(client.bytesReceived));
      },
    ),
  );

  it(
    'has what a synchronous post hook put into the environment',
    withServer(
      (env, startResponse) => {
        env['evy.posthooks'].push([() => (env['app.user'] = 'ann')]);
        startResponse('200 OK', []);
        return [];
      },
      { logFormat: '%({app.user}e)s' },
      async ({ connect, accessLines }) => {
        const client = await connect();
        client.send(get('/').repeat(300));
        await waitFor('the lines', () => accessLines.length === 300);
        expect(new Set(accessLines)).to.deep.equal(new Set(['ann']));
      },
    ),
  );

  it(
    'has a line of its own for each request that ends in the same turn, in their order',
    withServer(
      (env, startResponse) => {
        startResponse('200 OK', [['X-Path', env.PATH_INFO]]);
        return ['x'.repeat(Number(env.QUERY_STRING))];
      },
      { logFormat: '%(method)s %(target)s %({X-Path}o)s %({X-A}i)s %(body_length)s' },
      async ({ connect, accessLines }) => {
        const client = await connect();
        const numbers = Array.from({ length: 300 }, (_, index) => index);
        client.send(numbers.map((n) => get(`/${n}?${n}`, `X-A: ${n}\r\n`)).join(''));
        await waitFor('the lines', () => accessLines.length === 300);
        expect(accessLines).to.deep.equal(numbers.map((n) => `GET /${n}?${n} /${n} ${n} ${n}`));
      },
    ),
  );

  for (const [name, request, line] of [
    ['no request line', 'GET "x\r\n\r\n', '400 "-" "-" "-" 16 refused'],
    ['a control byte', 'GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n', '400 "-" "-" "-" 16 refused'],
    ['another protocol', 'GET /x HTTP/3.0\r\nHost: a\r\n\r\n', '505 "-" "-" "-" 31 refused'],
    ['no Host', 'GET /x?y HTTP/1.1\r\n\r\n', '400 "GET /x?y HTTP/1.1" "/x" "-" 16 refused'],
    ['a bad target', 'GET http://user:password@a/ HTTP/1.1\r\nHost: a\r\n\r\n', '400 "-" "-" "-" 16 refused'],
    ['a coding that nobody knows', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n', undefined],
  ] as const) {
    it(
      `has a line for a request that is refused for ${name}, and none of its bad bytes`,
      withServer(hello, { logFormat }, async ({ connect, accessLines, rest }) => {
        const client = await connect();
        client.send(request);
        await waitFor('the line', () => accessLines.length === 1);
        if (line === undefined) expect(accessLines[0]).to.match(/^501 "POST \/ HTTP\/1\.1" .* refused$/);
        else expect(accessLines[0]).to.equal(line);
        await rest();
        expect(accessLines).to.have.length(1);
      }),
    );
  }

  it(
    'does not show an earlier request of the connection in the place of one that is refused',
    withServer(hello, { logFormat }, async ({ connect, accessLines }) => {
      const client = await connect();
      await client.request(get('/secret', 'User-Agent: u\r\n'));
      client.send('POST /x HTTP/9.9\r\n\r\n');
      await waitFor('both lines', () => accessLines.length === 2);
      expect(accessLines[1]).to.equal('505 "-" "-" "-" 31 refused');
    }),
  );

  it(
    'leaves out what accessLogSkip names',
    withServer(
      async (env, startResponse) => {
        await Promise.resolve();
        startResponse(env.QUERY_STRING === 'bad' ? '503 Service Unavailable' : '200 OK', []);
        return [];
      },
      { logFormat: '%(target)s', accessLogSkip: ['/health', '/assets/*'] },
      async ({ connect, accessLines }) => {
        const client = await connect();
        for (const path of ['/health', '/health?x', '/health?bad', '/assets/a', '/']) await client.request(get(path));
        await waitFor('the last line', () => accessLines.includes('/'));
        expect(accessLines).to.deep.equal(['/health?bad', '/']);
      },
    ),
  );

  it(
    'says what the client sent, whatever the application did to the environment',
    withServer(
      (env, startResponse) => {
        Object.assign(env, { REQUEST_METHOD: 'X', RAW_URI: '/forged', HTTP_USER_AGENT: { toString: null } });
        startResponse('200 OK', []);
        return [];
      },
      { logFormat },
      async ({ connect, accessLines }) => {
        await (await connect()).request(get('/real'));
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.equal('200 "GET /real HTTP/1.1" "/real" "-" 0 sent');
      },
    ),
  );
});
