import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { ServerOptionsInput } from '../../../src/shared/options/table.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { parserFault } from '../../../src/worker/interfaces/node-refusals.ts';
import { header } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withService, type WithService } from '../helpers/with-service.ts';
import { get, post } from '../helpers/with-server.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
const logFormat = '%(request_line)s %(status_code)s %(outcome)s';
const serve = (listener: Listener, test: (served: WithService) => Promise<void>, options: ServerOptionsInput = {}) =>
  withService((parts) => new NodeService({ ...parts, listener }), { logFormat, ...options }, test);

const hello: Listener = (_request, response) => response.end('hello');
const echo: Listener = (request, response) => request.pipe(response);
const never: Listener = () => {
  throw new Error('the listener was called');
};
const chunked = (body: string): string => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;

describe('a request to a node listener that is refused', () => {
  const cases: Array<[why: string, request: string, status: number, code: string, options?: ServerOptionsInput]> = [
    ['is none', 'X\r\n\r\n', 400, 'BAD_REQUEST_LINE'],
    [
      'has a head that is too large',
      get('/', `X: ${'y'.repeat(9000)}\r\n`),
      431,
      'HEAD_TOO_LARGE',
      { maxHead: '256B' },
    ],
    ['has a head that takes too long', 'GET / HTTP/1.1\r\nHo', 408, 'HEAD_TIMEOUT', { headTimeout: '100ms' }],
    ['has no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'BAD_HOST'],
    ['has two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'BAD_HOST'],
    ['has a Host that is none', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'BAD_HOST'],
    ['has an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400, 'BAD_HOST'],
    ['has a body that is too large', post('123456'), 413, 'BODY_TOO_LARGE', { maxBody: 5 }],
    [
      'is to say whether its large body may come',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n',
      413,
      'BODY_TOO_LARGE',
      { maxBody: 5 },
    ],
    ['expects what is unknown', post('x', 'Expect: x\r\n'), 417, 'UNKNOWN_EXPECTATION'],
  ];
  for (const [why, request, status, code, options] of cases) {
    it(
      `since it ${why} gets ${status} in a few plain words, a line of the log, and one of the access log`,
      serve(
        never,
        async ({ connect, refusals, accessLines, errors, serving }) => {
          const client = await connect();
          client.send(request);
          const response = await client.response();
          expect(response.status).to.equal(status);
          expect(header(response, 'connection')).to.equal('close');
          expect(response.body.toString()).to.match(new RegExp(`^${status} [\\w -]+\\n$`));
          expect(await client.closed()).to.equal('fin');
          expect(refusals).to.have.lengthOf(1);
          expect(refusals[0]).to.include({ code, peer: '127.0.0.1' });
          await waitFor('the access line', () => accessLines.length > 0);
          expect(accessLines).to.have.lengthOf(1);
          expect(accessLines[0]).to.include(` ${status} `);
          expect([errors, serving.stats.requests]).to.deep.equal([[], 0]);
        },
        options,
      ),
    );
  }

  it(
    'comes after the answers to the requests before it',
    serve(
      (_request, response) => void setTimeout(() => response.end('hello'), 50),
      async ({ connect, refusals }) => {
        const client = await connect();
        client.send(`${get('/a')}${get('/b')}X\r\n\r\n`);
        expect((await client.responses(3)).map(({ status }) => status)).to.deep.equal([200, 200, 400]);
        expect(await client.closed()).to.equal('fin');
        expect(refusals).to.have.lengthOf(1);
      },
    ),
  );

  it(
    'for its chunked body gets 413 while nothing was sent',
    serve(
      (request, response) => void request.resume().on('end', () => response.end('hello')),
      async ({ connect, refusals, errors, serving }) => {
        const client = await connect();
        client.send(chunked('3\r\nabc\r\n3\r\nabc\r\n'));
        expect((await client.response()).status).to.equal(413);
        client.send(Buffer.alloc(1_000_000, '3\r\nabc\r\n'));
        client.halfClose();
        expect(await client.closed()).to.equal('fin');
        expect(refusals[0]).to.include({ code: 'BODY_TOO_LARGE', request: 'POST /' });
        expect([errors, serving.stats.requests]).to.deep.equal([[], 1]);
      },
      { maxBody: 5 },
    ),
  );

  it(
    'for its chunked body is cut once the answer has begun',
    serve(
      echo,
      async ({ connect, refusals }) => {
        const client = await connect();
        client.send(chunked('3\r\nabc\r\n'));
        await waitFor('its beginning', () => client.received.includes('abc'));
        client.send('3\r\nabc\r\n');
        await client.closed();
        expect(client.received).to.not.include('\r\n0\r\n\r\n');
        expect(refusals[0]).to.include({ code: 'BODY_TOO_LARGE' });
      },
      { maxBody: 5 },
    ),
  );

  it(
    'for its malformed body gets 400 while nothing was sent',
    serve(
      (request, response) => void request.resume().on('end', () => response.end('hello')),
      async ({ connect, refusals, errors }) => {
        const client = await connect();
        expect((await client.request(chunked('3\r\nabcX'), 'POST')).status).to.equal(400);
        expect(await client.closed()).to.equal('fin');
        expect(refusals).to.have.lengthOf(1);
        expect(errors).to.deep.equal([]);
      },
    ),
  );

  it(
    'is answered also while the client sends 4 MB more',
    serve(
      never,
      async ({ connect }) => {
        const client = await connect();
        client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n`);
        client.send(Buffer.alloc(4_000_000, 'x'));
        client.halfClose();
        expect((await client.response()).status).to.equal(413);
        expect(await client.closed()).to.equal('fin');
      },
      { maxBody: 5 },
    ),
  );

  it(
    'is none of those within the limits',
    serve(
      echo,
      async ({ connect, refusals }) => {
        const client = await connect();
        expect((await client.request(chunked('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'), 'POST')).status).to.equal(200);
        expect((await client.request(post('12345', 'Expect: 100-continue\r\n'))).status).to.equal(200);
        expect(refusals).to.deep.equal([]);
      },
      { maxBody: 5 },
    ),
  );

  it(
    'is not a client that connects and asks nothing: it goes without a word',
    serve(
      hello,
      async ({ connect, refusals }) => {
        const client = await connect();
        expect(await client.closed()).to.equal('fin');
        expect([client.received, refusals]).to.deep.equal(['', []]);
      },
      { headTimeout: '100ms' },
    ),
  );

  it('has a code of our table for each fault of the parser, and none for a socket that broke', () => {
    expect(parserFault('HPE_INVALID_CHUNK_SIZE')).to.equal('BAD_CHUNK');
    expect(parserFault('HPE_SOMETHING_NEW')).to.equal('BAD_REQUEST_LINE');
    expect([parserFault('ECONNRESET'), parserFault('EPIPE'), parserFault(undefined)]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
