/** One worker of ours: the built package, as an application imports it. */
import { listen, wsgi } from 'evy';
import { answerParent, cpuTime, type ServerProtocol } from '../child.ts';
import { workNamed } from '../works.ts';

const { app } = workNamed(process.argv[2]);
const address = await wsgi.server(listen(['127.0.0.1', 0]), app, { logOutput: false }).ready;

answerParent<ServerProtocol>({ port: () => ('port' in address ? address.port : 0), cpu: cpuTime });
