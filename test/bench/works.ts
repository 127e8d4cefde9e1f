/**
 * What is measured: one row a work, done by both servers. A further work is a further row; both applications must send
 * responses of one size, which the load generator checks.
 */
import type { RequestListener } from 'node:http';
import type { App } from 'evy';

export interface Work {
  name: string;
  /** sent as it stands by every connection, again and again */
  request: string;
  /** for evy */
  app: App;
  /** the same for node:http */
  listener: RequestListener;
}

const greeting = 'Hello, World!\r\n';
const get = 'GET /hello?name=world HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n';

/** A hook like the one that counts bandwidth: it looks at the report of the response. */
let bytesSent = 0;
const countBytes = (env: { 'evy.response'?: { bytesSent: number } }) => {
  bytesSent += env['evy.response']?.bytesSent ?? 0;
};

export const works: readonly Work[] = [
  {
    name: 'hello',
    request: get,
    app(env, startResponse) {
      env['evy.posthooks'].push([countBytes, [], {}]);
      startResponse('200 OK', [
        ['Content-Type', 'text/plain'],
        ['Content-Length', String(greeting.length)],
      ]);
      return [greeting];
    },
    listener(_request, response) {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': greeting.length });
      response.end(greeting);
    },
  },
];

export function workNamed(name: string | undefined): Work {
  const work = works.find((row) => row.name === name);
  if (!work) throw new Error(`no work '${name}'; there are: ${works.map((row) => row.name).join(', ')}`);
  return work;
}
