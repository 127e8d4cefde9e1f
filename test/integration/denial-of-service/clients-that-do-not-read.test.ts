import { expect } from 'chai';
import { text } from '../../helpers/response-reader.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import type { App } from '../../../src/index.ts';
import { answer, withServer } from '../../worker/helpers/with-server.ts';
import { get, victim } from './victim.ts';

const piece = Buffer.alloc(10_000, 'x');

describe('denial of service by clients that do not read', () => {
  it('pipelined requests for small answers are not answered without end', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(10)) {
      client.pause();
      client.send(get().repeat(30_000));
    }
    await servesOthers();
    await holdsAtMost(8);
  });

  it('pipelined requests for big answers do not make a queue of answers', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(50)) {
      client.pause();
      client.send(get('/big').repeat(1000));
    }
    await servesOthers();
    await holdsAtMost(24);
  });

  it('an answer without end is made only as fast as it is taken', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(50)) {
      client.pause();
      client.send(get('/endless'));
    }
    await servesOthers();
    await holdsAtMost(24);
  });

  it('a pipelining flood that is read is answered in order, and others are served in between', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    const clients = await attackers(5);
    const count = 5000;
    for (const client of clients) client.send(get().repeat(count));
    await servesOthers();
    for (const client of clients) {
      expect((await client.responses(count)).every((response) => text(response) === 'hello')).to.equal(true);
    }
    await holdsAtMost(4);
  });

  const endless: App = (_env, startResponse) => {
    startResponse('200 OK', []);
    return (function* () {
      for (;;) yield piece;
    })();
  };
  for (const [how, app] of [
    ['there as a whole', answer('x'.repeat(10_000_000))],
    ['without end', endless],
  ] as const) {
    it(
      `an answer that is ${how}, of which a byte is taken now and then, is given up after socketTimeout`,
      withServer(app, { socketTimeout: '1s' }, async ({ connect, server, logged }) => {
        const clients = await Promise.all(Array.from({ length: 10 }, connect));
        for (const client of clients) {
          client.pause();
          client.send(get());
        }
        await waitFor('the requests', () => server.counters.requests === 10);
        // The client is never quiet, and yet next to nothing moves.
        const timer = setInterval(() => clients.forEach(({ socket }) => socket.read(1)), 50);
        onEnd(() => clearInterval(timer));
        await waitFor('the server at rest', () => server.counters.connections === 0);
        expect(logged('connection.cut')).to.have.lengthOf(10);
        expect(logged('connection.cut')[0]).to.include({ code: 'REQUEST_CUT', peer: '127.0.0.1' });
      }),
    );
  }
});
