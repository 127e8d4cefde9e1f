import { expect } from 'chai';
import { connect as connectNet } from 'node:net';
import { onEnd } from '../helpers/cleanup.ts';
import { connect, type Target } from '../helpers/raw-client.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, get, withServer } from '../worker/helpers/with-server.ts';

const hello = answer('hello');
const clients = 60;
const maxSize = 5;

/** A client that connects when it can, asks once and leaves. */
async function askAndLeave(target: Target): Promise<string> {
  const client = await connect(target);
  const response = await client.request(get('/', 'Connection: close\r\n'));
  const ending = await client.closed();
  client.close();
  return `${text(response)}, ${ending}`;
}

describe('more clients than the server takes at a time', () => {
  for (const tls of [false, true]) {
    it(
      `wait for their turn, and none is reset (${tls ? 'TLS' : 'plain'})`,
      withServer(hello, { tls, maxSize }, async ({ connect: open, target, server }) => {
        const holders = await Promise.all(Array.from({ length: maxSize }, open));
        await waitFor('a full server', () => server.counters.connections === maxSize);
        let most = 0;
        const answers = Array.from({ length: clients }, async () => {
          const got = await askAndLeave(target);
          most = Math.max(most, server.counters.connections);
          return got;
        });
        // Those who are in are served as ever; whoever is idle then gives way to one that waits.
        expect(text(await holders[0]!.request(get()))).to.equal('hello');
        expect(await holders[0]!.closed()).to.equal('fin');
        for (const holder of holders) holder.close();
        expect(await Promise.all(answers)).to.deep.equal(Array<string>(clients).fill('hello, fin'));
        // One more for the moment in which another one gives way to it.
        expect(most).to.be.at.most(maxSize + 1);
      }),
    );
  }

  it(
    'that never finish their TLS handshakes count as well',
    withServer(hello, { tls: true, maxSize }, async ({ target, server }) => {
      const silent = Array.from({ length: maxSize }, () => connectNet(target.port!, '127.0.0.1'));
      for (const socket of silent) {
        onEnd(() => socket.destroy());
        socket.on('error', () => {});
      }
      await Promise.all(silent.map((socket) => new Promise<unknown>((resolve) => socket.once('connect', resolve))));
      // The next one is let in only when one of them has gone.
      let isIn = false;
      const late = askAndLeave(target).then((got) => ((isIn = true), got));
      // As long as another server takes for the whole of it.
      await withServer(hello, { tls: true }, async (other) => void (await askAndLeave(other.target)))();
      expect([isIn, server.counters.connections]).to.deep.equal([false, 0]);
      silent[0]!.resetAndDestroy();
      expect(await late).to.equal('hello, fin');
    }),
  );
});
