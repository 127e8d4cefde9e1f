import { connect as connectNet, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { certfile, keyfile } from '../../helpers/certificates.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { text } from '../../helpers/response-reader.ts';
import { get, victim } from './victim.ts';

async function openSockets(port: number, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connectNet(port, '127.0.0.1');
      onEnd(() => socket.destroy());
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    }),
  );
}

describe('denial of service by connections', () => {
  it('a flood of connections that are reset at once leaves nothing behind', async () => {
    const { port, servesOthers, holdsAtMost } = await victim();
    for (let times = 0; times < 20; times += 1) {
      for (const socket of await openSockets(port, 100)) socket.resetAndDestroy();
      await servesOthers();
    }
    await holdsAtMost(4);
  });

  it('a flood of requests that are reset before their answers leaves nothing behind', async () => {
    const { port, servesOthers, holdsAtMost } = await victim();
    for (let times = 0; times < 20; times += 1) {
      for (const socket of await openSockets(port, 100)) {
        socket.write(get('/big').repeat(10));
        socket.resetAndDestroy();
      }
      await servesOthers();
    }
    await holdsAtMost(4);
  });

  it('a thousand clients that hold their connections delay nobody, and each is still answered', async () => {
    const { attackers, servesOthers } = await victim();
    const [idle, dripping] = [await attackers(500), await attackers(500)];
    for (const client of [...idle, ...dripping]) client.send(get());
    for (const client of [...idle, ...dripping]) expect(text(await client.response())).to.equal('hello');
    const head = get();
    for (const client of dripping) client.send(head.slice(0, 1));
    for (let at = 1; at < head.length; at += 5) {
      for (const client of dripping) client.socket.write(head.slice(at, at + 5));
      await servesOthers();
    }
    for (const client of idle) client.send(head);
    for (const client of [...idle, ...dripping]) expect(text(await client.response())).to.equal('hello');
  });

  it('connections that are idle do not keep what their last request was like', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    const clients = await attackers(200);
    const heads = ['x-pad', 'x-other'].map((name) =>
      get(`/?${'q'.repeat(7000)}`, `${name}: ${'p'.repeat(50_000)}\r\n`),
    );
    const body = 'POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const trailers = `0\r\nx: ${'t'.repeat(50_000)}\r\n\r\n`;
    for (const client of clients.slice(0, 100)) for (const head of heads) await client.request(head);
    for (const client of clients.slice(100)) {
      await client.request(`${body}c350\r\n${'b'.repeat(50_000)}\r\n${trailers}`, 'POST');
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('TLS handshakes that never end keep nobody out', async () => {
    const tls = ['--certfile', certfile, '--keyfile', keyfile, '--bind', 'tls:127.0.0.1:0'];
    const { port, servesOthers, holdsAtMost } = await victim([], tls);
    const silent = await openSockets(port, 200);
    // The beginning of a ClientHello, and no more.
    for (const socket of silent.slice(100)) socket.write(Buffer.from('16030100c8010000c40303', 'hex'));
    await servesOthers();
    for (const socket of silent) socket.resetAndDestroy();
    await servesOthers();
    await holdsAtMost(4);
  });
});
