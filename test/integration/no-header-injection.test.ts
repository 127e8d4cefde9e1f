/** Whatever an application lets into its headers or its status, no line of it becomes one of the response. */
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../src/worker/interfaces/node.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import type { Serving } from '../../src/worker/loop/service.ts';
import { get } from '../worker/helpers/with-server.ts';
import { withService, type ServingParts } from '../worker/helpers/with-service.ts';

/** What an attacker got into the application, in each of its line ends and what some take for one. */
const injected = [
  '\r\nX-Evil: 1',
  '\nX-Evil: 1',
  '\rX-Evil: 1',
  '\r\n\r\nX-Evil',
  '\0X-Evil',
  '\u010a\u010dX-Evil',
  '\x85X-Evil\u2028',
];

interface Attempt {
  name: string;
  value: string;
  reason: string;
}
const attempts: Array<[where: string, attempt: (text: string) => Attempt]> = [
  ['a value', (text) => ({ name: 'A', value: `b${text}`, reason: 'OK' })],
  ['a name', (text) => ({ name: `A${text}`, value: 'b', reason: 'OK' })],
  ['the reason', (text) => ({ name: 'A', value: 'b', reason: `OK${text}` })],
];

/** A Response whose own checks were got round: ours come after them. */
function forged({ name, value, reason }: Attempt): Response {
  const response = new Response('x');
  Object.defineProperties(response, {
    headers: { value: [[name, value]] },
    statusText: { value: reason },
  });
  return response;
}

const interfaces: Array<[kind: string, serving: (attempt: Attempt) => (parts: ServingParts) => Serving]> = [
  [
    'wsgi',
    ({ name, value, reason }) =>
      (parts) =>
        new Service({
          ...parts,
          handler: wsgiHandler((_env, startResponse) => {
            startResponse(`200 ${reason}`, [[name, value]]);
            return ['x'];
          }),
        }),
  ],
  ['fetch', (attempt) => (parts) => new Service({ ...parts, handler: fetchHandler({ fetch: () => forged(attempt) }) })],
  [
    'node',
    ({ name, value, reason }) =>
      (parts) =>
        new NodeService({
          ...parts,
          listener: (_request: unknown, response: ServerResponse) =>
            response.writeHead(200, reason, [name, value]).end('x'),
        }),
  ],
];

for (const [kind, serving] of interfaces) {
  describe(`a ${kind} application`, () => {
    for (const [where, attempt] of attempts) {
      for (const text of injected) {
        it(
          `gets nothing into the response by ${where} with ${JSON.stringify(text)}`,
          withService(serving(attempt(text)), {}, async ({ connect, errors }) => {
            const client = await connect();
            client.send(get() + get());
            for (const { status, headers, reason } of await client.responses(2)) {
              const names = headers.map(([name]) => name.toLowerCase());
              expect(names.filter((name) => name.includes('evil'))).to.deep.equal([]);
              expect([status, reason]).to.deep.equal([500, 'Internal Server Error']);
            }
            expect(client.reader.isBetween).to.equal(true);
            expect(errors).to.have.lengthOf(2);
          }),
        );
      }
    }
  });
}
