/** A Hono application. evy serves any object with a `fetch(request)` method; Hono provides evy's context as `c.env`. */
import type { FetchContext } from 'evy';
import { Hono } from 'hono';

const app = new Hono<{ Bindings: FetchContext }>();

app.get('/', (c) => c.text('Hello, Hono!\n'));

app.post('/echo', async (c) => {
  const body: unknown = await c.req.json();
  c.env.postHook((env) => console.log(`echoed, ${env['evy.response']?.bytesSent} bytes sent`));
  return c.json(body);
});

export default app;
