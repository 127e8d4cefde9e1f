/**
 * What is measured: one row a work. Each server of `servers/` does the same for it; the load generator checks that all
 * responses of a server have one size.
 */
export const greeting = 'Hello, World!\r\n';
export const blob = Buffer.alloc(65_536, 'b');
/** 10 MB in pieces of 64 KiB */
export const streamedPieces = 160;

/** What an application does with a request. */
export type Job = 'hello' | 'echo' | 'blob' | 'stream';

export interface Work {
  name: string;
  title: string;
  job: Job;
  /** sent as it stands by every connection, again and again */
  request: string;
  connections: number;
  /** requests that a connection sends at once */
  pipeline: number;
  /** a connection for each request, and two worker processes where a server has workers */
  fresh: boolean;
  /** `throughput` where bytes count rather than requests */
  measure: 'cpu' | 'throughput';
  /** what we want to reach against `node:http`, or `node:cluster` where there are workers */
  target: number;
}

const usual = 'Host: localhost:8080\r\nUser-Agent: bench\r\nAccept: */*\r\n';
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${usual}${more}\r\n`;
const body = 'x'.repeat(1024);
const post = `POST /echo HTTP/1.1\r\n${usual}Content-Type: text/plain\r\nContent-Length: 1024\r\n\r\n${body}`;
const plain = { connections: 64, pipeline: 1, fresh: false, measure: 'cpu' } as const;

export const works: readonly Work[] = [
  { ...plain, name: 'hello', title: 'GET hello', job: 'hello', request: get('/hello?name=world'), target: 2 },
  {
    ...plain,
    name: 'pipelined',
    title: 'GET hello, 16 pipelined',
    job: 'hello',
    request: get('/hello?name=world'),
    pipeline: 16,
    target: 5,
  },
  { ...plain, name: 'post', title: 'POST 1 KiB, read and echoed', job: 'echo', request: post, target: 1.8 },
  { ...plain, name: 'blob', title: '64 KiB from a Buffer', job: 'blob', request: get('/blob'), target: 1.3 },
  {
    ...plain,
    name: 'stream',
    title: '10 MB streamed',
    job: 'stream',
    request: get('/stream'),
    connections: 4,
    measure: 'throughput',
    target: 1,
  },
  {
    ...plain,
    name: 'connect',
    title: 'a connection for each request, 2 workers',
    job: 'hello',
    request: get('/hello', 'Connection: close\r\n'),
    fresh: true,
    target: 2,
  },
];

export function workNamed(name: string | undefined): Work {
  const work = works.find((row) => row.name === name);
  if (!work) throw new Error(`no work '${name}'; there are: ${works.map((row) => row.name).join(', ')}`);
  return work;
}
