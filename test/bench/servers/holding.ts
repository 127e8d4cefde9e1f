/** A server that is to hold many connections: `evy` or `node:http`, with time-outs longer than the bench. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, wsgi } from 'evy';
import { app } from '../apps/evy.ts';
import { listeners } from '../apps/node-http.ts';
import { answerParent } from '../child.ts';

export interface HoldingProtocol {
  port: { question: undefined; answer: number };
  /** resident bytes, once what can be collected has been */
  memory: { question: undefined; answer: number };
}

const longMs = 3_600_000;

async function serveEvy(): Promise<number> {
  const options = {
    logOutput: false,
    logLevel: 'error' as const,
    maxSize: 1_000_000,
    keepalive: '1h',
    headTimeout: '1h',
  };
  const address = await wsgi.server(listen(['127.0.0.1', 0], { backlog: 4096 }), app, options).ready;
  return 'port' in address ? address.port : 0;
}

async function serveNodeHttp(): Promise<number> {
  const server = createServer({ keepAliveTimeout: longMs, headersTimeout: longMs, requestTimeout: 0 }, listeners.hello);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const port = await (process.argv[2] === 'evy' ? serveEvy() : serveNodeHttp());

answerParent<HoldingProtocol>({
  port: () => port,
  async memory() {
    // What is free is given back by other threads, in their own time.
    for (let times = 0; times < 10; times += 1) {
      globalThis.gc!();
      await sleep(100);
    }
    return process.memoryUsage.rss();
  },
});
