import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withService, type WithService } from '../helpers/with-service.ts';
import { get, post } from '../helpers/with-server.ts';

const logFormat = '%(request_line)s %(status_code)s %(body_length)s %({X-One}i)s %({x-two}o)s %(outcome)s';
const serve = (
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  test: (served: WithService) => Promise<void>,
) => withService((parts) => new NodeService({ ...parts, listener }), { logFormat }, test);

describe('the access log of a node listener', () => {
  it(
    'counts the bytes of the body, not those of the head',
    serve(
      (_request, response) => response.setHeader('X-Two', ['a', 'b']).end('hello'),
      async ({ connect, accessLines }) => {
        const client = await connect();
        for (let count = 1; count <= 2; count += 1) {
          await client.request(get('/a?b', 'X-One: 1\r\n'));
          await waitFor('the line', () => accessLines.length === count);
        }
        expect(accessLines[1]).to.equal('GET /a?b HTTP/1.1 200 5 1 a, b sent');
      },
    ),
  );

  it(
    'does not count a 100 Continue either',
    serve(
      (request, response) => request.resume().on('end', () => response.end('hello')),
      async ({ connect, accessLines }) => {
        const client = await connect();
        client.send(post('body', 'Expect: 100-continue\r\n'));
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.equal('POST / HTTP/1.1 200 5 - - sent');
      },
    ),
  );

  it(
    'has nothing of a response that was never sent',
    serve(
      () => {},
      async ({ connect, accessLines, serving }) => {
        const client = await connect();
        client.send(get('/gone'));
        await waitFor('the request', () => serving.stats.activeRequests === 1);
        client.close();
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.equal('GET /gone HTTP/1.1 0 0 - - client-gone');
      },
    ),
  );
});
