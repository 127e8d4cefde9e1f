/** `import { wsgi } from 'evy'`: the names under which eventlet's users know the server. */
export { server } from './wsgi-server.ts';
export type { LineSink, RunningServer, ServerCounters, ServerOptions } from './wsgi-server.ts';
