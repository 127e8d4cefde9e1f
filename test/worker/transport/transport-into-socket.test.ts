/** Transports that become sockets: for applications that take a connection over, for TLS behind a PROXY header, for node:http. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import type { Transport } from '../../../src/shared/node-private/node-private.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { kinds, much, networks, served, turns, type Kind, type Network } from '../helpers/transports.ts';

/** One whose client has ended without a byte. */
async function ended(kind: Kind, network: Network): Promise<Transport> {
  const { transport, client } = await served(kind, network);
  client.end();
  await waitFor('the end', () => transport.hasEnded);
  return transport;
}

/** Ways to read a socket to its end. */
const readers: Record<string, (socket: Socket) => Promise<string>> = {
  'by events, after a moment': async (socket) => {
    await Promise.resolve();
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += String(bytes)));
    await once(socket, 'end');
    return text;
  },
  'by iteration': async (socket) => {
    let text = '';
    for await (const bytes of socket) text += String(bytes);
    return text;
  },
  'by read()': async (socket) => {
    let text = '';
    socket.on('readable', () => {
      for (let bytes = socket.read() as Buffer | null; bytes !== null; bytes = socket.read() as Buffer | null)
        text += String(bytes);
    });
    await once(socket, 'end');
    return text;
  },
};

for (const kind of kinds) {
  describe(`a socket in the place of a transport ${kind}`, () => {
    for (const network of networks) {
      describe(`over ${network}`, () => {
        it('is one with what was read first, of which the owner learns the end', async () => {
          const { transport, client, owner, collect } = await served(kind, network);
          const received = collect();
          client.write('one');
          await waitFor('the first bytes', () => owner.heard === 'one');
          const socket = transport.intoSocket(Buffer.from('zero,'));
          client.end('two');
          let text = '';
          socket.on('data', (bytes: Buffer) => (text += String(bytes)));
          await once(socket, 'end');
          expect(text).to.equal('zero,two');
          socket.end('answer');
          await once(client, 'end');
          expect(received()).to.equal('answer');
          await waitFor('the close', () => owner.events.length > 0);
          expect([owner.heard, owner.events]).to.deep.equal(['one', ['closed']]);
        });

        it('is one that has bytes of its own, when it is taken while they are told', async () => {
          const { transport, client, owner } = await served(kind, network);
          const other = await served(kind, network);
          let socket: Socket | undefined;
          owner.receive = (buffer, length) => {
            socket = transport.intoSocket(Buffer.from(buffer.subarray(1, length)));
          };
          client.write('a first one');
          await waitFor('the socket', () => socket !== undefined);
          other.client.write('something else');
          await waitFor('others', () => other.owner.heard === 'something else');
          client.write(', a second one');
          let text = '';
          socket!.on('data', (bytes: Buffer) => (text += String(bytes)));
          await waitFor('both', () => text === ' first one, a second one');
        });

        for (const [how, read] of Object.entries(readers)) {
          it(`is one that tells what is left and the end, read ${how}, when the client has ended before`, async () => {
            const { transport, client } = await served(kind, network);
            client.end('question');
            await waitFor('the end', () => transport.hasEnded);
            const [one, two] = [transport.intoSocket(Buffer.from('rest')), (await ended(kind, network)).intoSocket()];
            expect(await Promise.all([read(one), read(two)])).to.deep.equal(['rest', '']);
          });
        }

        for (const rest of ['', 'rest']) {
          it(`is one that tells ${rest || 'no more bytes'} and the end at once, and is written to on`, async () => {
            const { transport, client, owner, collect } = await served(kind, network);
            const received = collect();
            client.end('question');
            await waitFor('the end', () => transport.hasEnded);
            const socket = transport.intoSocket(Buffer.from(rest));
            let text = '';
            socket.on('data', (bytes: Buffer) => (text += String(bytes))).on('end', () => socket.end('answer'));
            await waitFor('the close', () => owner.events.includes('closed'));
            expect([text, owner.events]).to.deep.equal([rest, ['ended', 'closed']]);
            await waitFor('the answer', () => received() === 'answer');
          });
        }

        it('is one while it is paused, and that is closed when the client resets it', async () => {
          const { transport, client, owner } = await served(kind, network);
          transport.pause();
          const socket = transport.intoSocket();
          const errors: Error[] = [];
          socket.on('error', (error) => errors.push(error)).resume();
          client.write('bytes');
          await once(socket, 'data');
          if (network === 'TCP') client.resetAndDestroy();
          else client.destroy();
          socket.on('end', () => socket.end());
          await waitFor('the close', () => socket.destroyed && owner.events.length > 0);
          await turns();
          expect(owner.events).to.deep.equal(['closed']);
        });

        it('is one that is read as slowly as its reader likes', async () => {
          const { transport, client } = await served(kind, network);
          const socket = transport.intoSocket();
          client.end(much);
          let count = 0;
          for await (const bytes of socket) {
            count += (bytes as Buffer).length;
            await turns();
            expect(socket.readableLength).to.be.at.most(2 * 65_536);
          }
          expect(count).to.equal(much.length);
        });

        it('is one whose writes follow what is on its way', async () => {
          const { transport, owner, client, collect } = await served(kind, network);
          expect(transport.write([much])).to.equal(false);
          const socket = transport.intoSocket();
          socket.end('behind it');
          const received = collect();
          await once(client, 'end');
          expect(received() === `${much.toString('latin1')}behind it`).to.equal(true);
          client.end();
          await waitFor('the close', () => owner.events.includes('closed'));
        });
      });
    }

    it('is one that is closed, without an error, when it is closed already', async () => {
      const { transport, owner } = await served(kind);
      transport.destroy();
      expect(transport.write('into the void')).to.equal(false);
      const socket = transport.intoSocket(Buffer.from('rest'));
      const events: string[] = [];
      for (const name of ['error', 'close']) socket.on(name, () => events.push(name));
      socket.write('');
      socket.destroy();
      await waitFor('the close', () => owner.events.includes('closed') && events.length > 0);
      await turns();
      expect([owner.events, events]).to.deep.equal([['closed'], ['close']]);
    });
  });
}
