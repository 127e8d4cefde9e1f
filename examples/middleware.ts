/** Middleware gets the application and returns another one: `evy examples/hello.ts examples/middleware.ts`. */
import type { App } from 'evy';

export default function servedBy(app: App): App {
  return (env, startResponse) =>
    app(env, (status, headers, excInfo) =>
      startResponse(status, [...headers, ['X-Served-By', `worker ${process.pid}`]], excInfo),
    );
}
