/** `import { wsgi } from 'evy'`: the names under which eventlet's users know the server. */
export { server } from './one-process-server.ts';
export type { LineSink, RunningServer, ServerCounters, ServerOptions } from './one-process-server.ts';
