/** Hono on its own Node server. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { answerParent, type ServerProtocol } from '../child.ts';
import { blob, greeting, streamedPieces } from '../works.ts';

const hono = new Hono();
hono.get('/hello', (context) => context.text(greeting));
hono.post('/echo', async (context) => context.text(await context.req.text()));
hono.get('/blob', (context) => context.body(new Uint8Array(blob)));
hono.get('/stream', (context) => {
  let left = streamedPieces;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(blob);
      left -= 1;
    },
  });
  return context.body(body);
});
const port = await new Promise<number>((resolve) => {
  serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }, (info) => resolve(info.port));
});

answerParent<ServerProtocol>({ port: () => port });
