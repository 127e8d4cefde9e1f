import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { get, victim } from './victim.ts';

/** Each sends its next byte every 50 ms, as long as its connection lives. */
function drip(clients: readonly RawClient[], bytes: string): void {
  let at = 0;
  const timer = setInterval(() => {
    for (const { socket, ending } of clients) if (ending === undefined) socket.write(bytes[at % bytes.length]!);
    at += 1;
  }, 50);
  onEnd(() => clearInterval(timer));
}

describe('denial of service by slow clients', () => {
  it('a head of a byte now and then is refused with 408 after headTimeout', async () => {
    const { attackers, servesOthers } = await victim(['--head-timeout', '1s', '--keepalive', '30s']);
    const clients = await attackers(100);
    drip(clients, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(1000)}`);
    await servesOthers();
    for (const client of clients) {
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
    }
    await servesOthers();
  });

  it('a body of a byte now and then is refused with 408 after its grace', async () => {
    const { attackers, servesOthers } = await victim(['--body-min-rate', '1000', '--socket-timeout', '1s']);
    const clients = await attackers(100);
    for (const client of clients)
      client.send('POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n', 'POST');
    drip(clients, 'x');
    await servesOthers();
    for (const client of clients) {
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
    }
    await servesOthers();
  });

  it('connections that never send, or nothing more, end without a word after keepalive', async () => {
    // Time enough to make two hundred connections on a busy machine.
    const { attackers, servesOthers } = await victim(['--keepalive', '5s']);
    const [silent, idle] = [await attackers(100), await attackers(100)];
    for (const client of idle) client.send(get());
    await servesOthers();
    for (const client of silent) {
      expect(await client.closed()).to.equal('fin');
      expect(client.received).to.equal('');
    }
    for (const client of idle) {
      expect(await client.closed()).to.equal('fin');
      expect(client.reader.responses.map(({ status }) => status)).to.deep.equal([200]);
    }
  });

  it('connections whose sending side is shut down at once end at once', async () => {
    const { attackers, servesOthers } = await victim();
    const clients = await attackers(100);
    for (const client of clients) client.halfClose();
    for (const client of clients) expect(await client.closed()).to.equal('fin');
    await servesOthers();
  });
});
