/** What ours is compared with. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerParent, cpuTime, type ServerProtocol } from '../child.ts';
import { workNamed } from '../works.ts';

const server = createServer(workNamed(process.argv[2]).listener).listen(0, '127.0.0.1');
await once(server, 'listening');

answerParent<ServerProtocol>({ port: () => (server.address() as AddressInfo).port, cpu: cpuTime });
