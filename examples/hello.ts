/** The application of `npm start`: a WSGI application with a post hook that counts the bytes really sent to clients. */
import type { App, Environ } from 'evy';

const sent = { responses: 0, bytes: 0 };

function count(env: Environ): void {
  sent.responses += 1;
  sent.bytes += env['evy.response']?.bytesSent ?? 0;
}

const hello: App = (env, startResponse) => {
  env['evy.posthooks'].push([count]);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [`Hello, World! Worker ${process.pid} sent ${sent.bytes} bytes in ${sent.responses} responses before.\r\n`];
};

export default hello;
