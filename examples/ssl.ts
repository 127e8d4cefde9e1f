import { listen, wrapSsl, wsgi, type App } from 'evy';

const helloWorld: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello, World!\r\n'];
};

wsgi.server(
  wrapSsl(listen(['', 8443]), { certfile: 'cert.crt', keyfile: 'private.key', serverSide: true }),
  helloWorld,
);
