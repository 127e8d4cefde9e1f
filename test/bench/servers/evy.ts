/** One process of ours, as an application starts it: `wsgi.server(listen(...), app)`. */
import { listen, wsgi } from 'evy';
import { app } from '../apps/evy.ts';
import { answerParent, type ServerProtocol } from '../child.ts';

const options = { logOutput: false, logLevel: 'error', maxSize: 100_000, keepalive: 3600 } as const;
const address = await wsgi.server(listen(['127.0.0.1', 0]), app, options).ready;

answerParent<ServerProtocol>({ port: () => ('port' in address ? address.port : 0) });
