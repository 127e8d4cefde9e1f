/** What `npm start` serves: a WSGI application, and a post hook that counts what really left for the clients. */
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
