/** For the work `reload`: a program on `node:http` that handles its signal as guides say, for PM2 and node:cluster. */
import { createServer } from 'node:http';
import echo from '../../fixtures/apps/echoes-load-id-node.mjs';

const server = createServer(echo).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGINT', () => server.close(() => process.exit(0)));
