/** Node's own server in one process; with `same-work` its listener does what an evy application gets for nothing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listeners, sameWork } from '../apps/node-http.ts';
import { answerParent, type ServerProtocol } from '../child.ts';
import type { Job } from '../works.ts';

const job = process.env['BENCH_JOB'] as Job;
const listener = process.argv[2] === 'same-work' ? sameWork[job] : listeners[job];
const server = createServer({ keepAliveTimeout: 3_600_000 }, listener).listen(0, '127.0.0.1');
await once(server, 'listening');

answerParent<ServerProtocol>({ port: () => (server.address() as AddressInfo).port });
