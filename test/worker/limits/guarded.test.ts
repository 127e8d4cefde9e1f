import { expect } from 'chai';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guarding } from '../../../src/shared/protocol/guarding.ts';
import { fetchHandler } from '../../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { wsgiHandler } from '../../../src/worker/interfaces/wsgi.ts';
import { guardHandler, guardListener, RequestGuard } from '../../../src/worker/limits/request-guard.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import type { Handler } from '../../../src/worker/loop/exchange.ts';
import type { Serving } from '../../../src/worker/loop/service.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withService } from '../helpers/with-service.ts';
import type { ServingParts } from '../helpers/with-service.ts';

const guarding: Guarding = {
  healthPaths: ['/health'],
  countsHealth: false,
  limitsConnections: false,
  limitsRequests: true,
  quarantines: false,
};

/** Answers '/slow' when told to, anything else at once. */
class Answers {
  readonly asked: string[] = [];
  finish: () => void = () => {};

  async to(path: string): Promise<string> {
    this.asked.push(path);
    if (path === '/slow') await new Promise<void>((resolve) => (this.finish = resolve));
    return 'done';
  }
}

type Make = (answers: Answers, guard: RequestGuard) => (parts: ServingParts) => Serving;

const onOurLoop =
  (handlerOf: (answers: Answers) => Handler): Make =>
  (answers, guard) =>
  (parts) => {
    const handler = guardHandler(handlerOf(answers), guard, () => service.activeRequests);
    const service = new Service({ ...parts, handler });
    return service;
  };

const interfaces: Record<string, Make> = {
  wsgi: onOurLoop((answers) =>
    wsgiHandler(async (env, startResponse) => {
      const text = await answers.to(env.PATH_INFO);
      startResponse('200 OK', []);
      return [text];
    }),
  ),
  fetch: onOurLoop((answers) =>
    fetchHandler({ fetch: async ({ url }: Request) => new Response(await answers.to(new URL(url).pathname)) }),
  ),
  node: (answers, guard) => (parts) => {
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void answers.to(request.url!).then((text) => response.end(text));
    const guarded = guardListener(listener, guard, () => service.activeRequests);
    const service = new NodeService({ ...parts, listener: guarded });
    return service;
  },
};

for (const [name, make] of Object.entries(interfaces)) {
  describe(`beyond the share of requests, on the ${name} interface, a request`, () => {
    const answers = new Answers();
    const guard = new RequestGuard(guarding);
    guard.allow(1);

    it(
      'gets 503 and when to come again, health checks are answered, and the connection stays',
      withService(make(answers, guard), {}, async (served) => {
        const slow = await served.connect();
        slow.send('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await waitFor('the slow request', () => answers.asked.length === 1);
        const client = await served.connect();
        const ask = (text: string) => client.request(`${text}\r\n\r\n`);
        const refused = await ask('GET / HTTP/1.1\r\nHost: localhost');
        expect(refused.status).to.equal(503);
        expect(refused.body.toString()).to.equal('503 Service Unavailable\n');
        expect(Object.fromEntries(refused.headers)).to.include({ 'Retry-After': '1' });
        const posted = await ask('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0');
        expect(posted.status).to.equal(503);
        expect((await ask('GET /health HTTP/1.1\r\nHost: localhost')).status).to.equal(200);
        answers.finish();
        await waitFor('its answer', () => slow.received.includes('done'));
        expect((await ask('GET / HTTP/1.1\r\nHost: localhost')).status).to.equal(200);
        expect(answers.asked).to.deep.equal(['/slow', '/health', '/']);
        expect(guard.turnedAway).to.equal(2);
        const lines503 = () => served.accessLines.filter((line) => line.includes(' 503 '));
        await waitFor('their access lines', () => lines503().length === 2);
        expect(served.errors).to.deep.equal([]);
      }),
    );
  });
}
