/** `import { wsgi } from 'evy'`: the server under the names that eventlet's users know. */
export { server } from './one-process-server.ts';
export type { LineSink, RunningServer, ServerCounters, ServerOptions } from './one-process-server.ts';
