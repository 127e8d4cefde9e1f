import { listen, wsgi, type App, type Environ } from 'evy';

function hook(env: Environ, arg1: string, arg2: string, { kwarg3 = 0, kwarg4 = 0 } = {}) {
  console.log('Hook called: %s %s %s %s %s', env, arg1, arg2, kwarg3, kwarg4);
}

const helloWorld: App = (env, startResponse) => {
  env['evy.posthooks'].push([hook, ['arg1', 'arg2'], { kwarg3: 3, kwarg4: 4 }]);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello, World!\r\n'];
};

wsgi.server(listen(['', 8090]), helloWorld);
