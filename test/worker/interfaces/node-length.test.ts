import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { text } from '../../helpers/response-reader.ts';
import { withService, type WithService } from '../helpers/with-service.ts';
import { get } from '../helpers/with-server.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
const serve = (listener: Listener, test: (served: WithService) => Promise<void>) =>
  withService((parts) => new NodeService({ ...parts, listener }), {}, test);

/** Each way to tell a length of 4 and then to send a body. */
const ways: Array<[name: string, send: (response: ServerResponse, body: string) => unknown]> = [
  ['setHeader() and end()', (response, body) => response.setHeader('Content-Length', 4).end(body)],
  ['writeHead() and end()', (response, body) => response.writeHead(200, { 'content-length': '4' }).end(body)],
  [
    'writeHead() with a reason and end()',
    (response, body) => response.writeHead(200, 'Fine', { 'Content-Length': 4 }).end(body),
  ],
  [
    'writeHead() with a list',
    (response, body) => response.writeHead(200, ['A', 'Content-Length', 'Content-Length', '4']).end(body),
  ],
  [
    'write() in pieces',
    (response, body) => {
      response.setHeader('Content-Length', '4');
      for (const letter of body) response.write(letter);
      response.end();
    },
  ],
  [
    'write() of other encodings',
    (response, body) => {
      response.setHeader('Content-Length', '4');
      response.write(Buffer.from(body).toString('hex'), 'hex', () => {});
      response.end(() => {});
    },
  ],
  [
    'a stream',
    (response, body) => Readable.from([Buffer.from(body)]).pipe(response.writeHead(200, { 'Content-Length': 4 })),
  ],
];

describe('the length of a response that a node listener gives', () => {
  for (const [name, send] of ways) {
    it(
      `by ${name} is kept when it is right`,
      serve(
        (_request, response) => send(response, 'abcd'),
        async ({ connect, errors }) => {
          const client = await connect();
          client.send(get() + get());
          expect((await client.responses(2)).map(text)).to.deep.equal(['abcd', 'abcd']);
          expect(errors).to.deep.equal([]);
        },
      ),
    );

    it(
      `by ${name} cuts a body that is longer, and the connection goes on`,
      serve(
        (_request, response) => send(response, 'abcdef'),
        async ({ connect, errors }) => {
          const client = await connect();
          client.send(get() + get());
          expect((await client.responses(2)).map(text)).to.deep.equal(['abcd', 'abcd']);
          expect(client.reader.isBetween).to.equal(true);
          expect(errors.map(({ code, bytes }) => [code, bytes])).to.deep.equal([
            ['APP_LONG_BODY', 2],
            ['APP_LONG_BODY', 2],
          ]);
        },
      ),
    );

    it(
      `by ${name} ends the connection when the body is shorter, before the next response`,
      serve(
        (_request, response) => send(response, 'ab'),
        async ({ connect, errors }) => {
          const client = await connect();
          client.send(get() + get());
          await client.closed();
          expect(client.received).to.match(/\r\n\r\nab$/);
          expect(client.received.match(/HTTP\/1\.1/g)).to.have.lengthOf(1);
          expect(errors[0]).to.include({ event: 'app.failed', code: 'APP_SHORT_BODY', request: 'GET /', bytes: 2 });
        },
      ),
    );
  }

  it(
    'is of no body for HEAD, 204 and 304',
    serve(
      (request, response) => {
        const status = Number(request.url!.slice(1));
        response.writeHead(status, status === 204 ? {} : { 'Content-Length': '4' }).end('abcdef');
      },
      async ({ connect, errors }) => {
        const client = await connect();
        client.send(get('/200', '', 'HEAD') + get('/204') + get('/304') + get('/200'), 'HEAD', 'GET', 'GET', 'GET');
        expect((await client.responses(4)).map(text)).to.deep.equal(['', '', '', 'abcd']);
        expect(errors).to.have.lengthOf(1);
      },
    ),
  );

  it(
    'is not counted when it is not given',
    serve(
      (_request, response) => {
        response.write('ab');
        response.end('cd');
      },
      async ({ connect, errors }) => {
        expect(text(await (await connect()).request(get()))).to.equal('abcd');
        expect(errors).to.deep.equal([]);
      },
    ),
  );
});
