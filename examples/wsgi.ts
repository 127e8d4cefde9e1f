import { listen, wsgi, type App } from 'evy';

const helloWorld: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello, World!\r\n'];
};

wsgi.server(listen(['', 8090]), helloWorld);
