/** What the HTTP loop may rely on, whichever kind of transport it has: on libuv's handle, or on a stream of Node. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { acceptRaw, noOwner, passedHandle } from '../../../src/shared/node-private/node-private.ts';
import { StreamTransport, transportOf } from '../../../src/worker/transport/stream-transport.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { accepted, kinds, Listener, much, networks, served, turns } from '../helpers/transports.ts';

for (const kind of kinds) {
  describe(`a transport ${kind}`, () => {
    for (const network of networks) {
      describe(`over ${network}`, () => {
        it('brings what the client sends, and then its end', async () => {
          const { transport, client, owner } = await served(kind, network);
          client.write('one');
          await waitFor('the first bytes', () => owner.heard === 'one');
          expect([transport.bytesRead, transport.hasEnded]).to.deep.equal([3, false]);
          client.end('two');
          await waitFor('the end', () => owner.events.length > 0);
          expect([owner.heard, transport.hasEnded, owner.events]).to.deep.equal(['onetwo', true, ['ended']]);
        });

        it('sends text in latin-1 and bytes, in order, and says at once that the kernel has them', async () => {
          const { transport, collect } = await served(kind, network);
          const received = collect();
          expect(transport.write('\xe4\xff')).to.equal(true);
          expect(transport.write([Buffer.from('one')])).to.equal(true);
          expect(transport.write([Buffer.from('two'), Buffer.from('three')])).to.equal(true);
          await waitFor('all of it', () => received() === '\xe4\xffonetwothree');
        });

        for (const [what, data] of [
          ['text', much.toString('latin1')],
          ['bytes', [much]],
          ['several buffers', [much.subarray(0, 1000), much.subarray(1000)]],
        ] as const) {
          it(`tells later, and once, that ${what} left, when the client was to read first`, async () => {
            const { transport, owner, collect } = await served(kind, network);
            expect(transport.write(data)).to.equal(false);
            expect(owner.events).to.deep.equal([]);
            // Meanwhile others write: what waits is not used for them.
            const other = await served(kind, network);
            const otherReceived = other.collect();
            expect(other.transport.write('other')).to.equal(true);
            await waitFor('the other one', () => otherReceived() === 'other');
            const received = collect();
            await waitFor('the report', () => owner.events.length > 0);
            expect(transport.write('end')).to.equal(true);
            await waitFor('the last bytes', () => received().endsWith('end'));
            expect(received() === `${much.toString('latin1')}end`).to.equal(true);
            expect(owner.events).to.deep.equal(['written']);
          });
        }

        it('sends FIN behind what was written, and is read on until the client has ended, too', async () => {
          const { transport, client, owner, collect } = await served(kind, network);
          const received = collect();
          transport.write('last');
          transport.end();
          expect(transport.isEnded).to.equal(true);
          transport.end();
          await once(client, 'end');
          expect(received()).to.equal('last');
          expect(owner.events).to.deep.equal([]);
          client.end('more');
          await waitFor('its end', () => owner.events.includes('closed'));
          expect([owner.heard, owner.events]).to.deep.equal(['more', ['ended', 'closed']]);
        });

        it('is written to when the client has ended, and closes behind its own end', async () => {
          const { transport, client, owner, collect } = await served(kind, network);
          const received = collect();
          client.end('question');
          await waitFor('the end', () => transport.hasEnded);
          transport.write('answer');
          transport.end();
          await waitFor('the close', () => owner.events.includes('closed'));
          expect(owner.events).to.deep.equal(['ended', 'closed']);
          await waitFor('the answer', () => received() === 'answer');
        });

        it('is not read while it is paused', async () => {
          const { transport, client, owner } = await served(kind, network);
          expect(transport.isPaused).to.equal(false);
          owner.onReceive = () => transport.pause();
          client.write('one');
          await waitFor('the first bytes', () => owner.heard === 'one');
          expect(transport.isPaused).to.equal(true);
          await new Promise<void>((resolve) => client.write('two', () => resolve()));
          await turns();
          expect(owner.heard).to.equal('one');
          owner.onReceive = () => {};
          transport.resume();
          expect(transport.isPaused).to.equal(false);
          await waitFor('the rest', () => owner.heard === 'onetwo');
        });

        it('tells once, and not at once, that it was closed, and nothing else after that', async () => {
          const { transport, client, owner } = await served(kind, network);
          transport.write([much]);
          client.write('unread');
          transport.destroy();
          expect([transport.isDestroyed, owner.events]).to.deep.equal([true, []]);
          transport.destroy();
          transport.reset();
          transport.end();
          expect(transport.write('more')).to.equal(false);
          await waitFor('the close', () => owner.events.length > 0);
          client.resume();
          await waitFor("the client's end", () => client.readableEnded || client.destroyed);
          await turns();
          expect([owner.heard, owner.events]).to.deep.equal(['', ['closed']]);
        });

        it('goes on where it was, when it has left and come back', async () => {
          const { transport, client, owner } = await served(kind, network);
          client.write('one');
          await waitFor('the first bytes', () => owner.heard === 'one');
          const detached = transport.detach();
          expect(passedHandle(detached?.handle)).to.equal(detached?.handle);
          await new Promise<void>((resolve) => client.write('two', () => resolve()));
          await turns();
          const next = new Listener();
          transport.setOwner(next);
          await waitFor('the rest', () => next.heard === 'two');
          expect([owner.heard, owner.events]).to.deep.equal(['one', []]);
        });

        it('can be carried on by another one, and its copy be closed', async () => {
          const { transport, client, owner, collect } = await served(kind, network);
          const received = collect();
          // As between two processes, but for the descriptor, which is the same here.
          const { handle } = transport.detach()!;
          const heir = transportOf(handle);
          const next = new Listener();
          heir.setOwner(next);
          client.write('question');
          await waitFor('the question', () => next.heard === 'question');
          heir.write('answer');
          heir.end();
          await once(client, 'end');
          expect([received(), owner.heard, owner.events]).to.deep.equal(['answer', '', []]);
          heir.destroy();
        });

        it('does not leave while bytes are on their way out, behind its end or when it is closed', async () => {
          const { transport, client, owner } = await served(kind, network);
          transport.write([much]);
          expect(transport.detach()).to.equal(undefined);
          client.write('heard');
          await waitFor('bytes that still come', () => owner.heard === 'heard');
          const other = await served(kind, network);
          other.transport.end();
          expect(other.transport.detach()).to.equal(undefined);
          other.transport.destroy();
          expect(other.transport.detach()).to.equal(undefined);
        });

        it('is closed once by whoever is told something', async () => {
          const { transport, client, owner } = await served(kind, network);
          owner.receive = () => transport.destroy();
          client.write('bytes');
          const ending = await served(kind, network);
          ending.owner.ended = () => ending.transport.destroy();
          ending.client.end();
          const writing = await served(kind, network);
          writing.owner.written = () => writing.transport.reset();
          writing.transport.write([much]);
          writing.client.resume();
          for (const { owner: one } of [{ owner }, ending, writing])
            await waitFor('the close', () => one.events.length > 0);
          await turns();
          for (const { owner: one } of [{ owner }, ending, writing]) expect(one.events).to.deep.equal(['closed']);
        });
      });
    }

    it('knows both ends', async () => {
      const { transport, client } = await served(kind);
      expect(transport.localEnd).to.include({ address: '127.0.0.1', port: client.remotePort });
      expect(transport.remoteEnd).to.include({ address: '127.0.0.1', port: client.localPort });
      const unix = await served(kind, 'a unix socket');
      expect([unix.transport.localEnd.address, unix.transport.remoteEnd.address]).to.deep.equal([undefined, undefined]);
    });

    it('can end with RST in place of FIN', async () => {
      const { transport, client, owner } = await served(kind);
      const errors: string[] = [];
      client.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code!));
      transport.reset();
      client.resume();
      await waitFor('the close', () => owner.events.length > 0 && client.destroyed);
      expect([owner.events, errors]).to.deep.equal([['closed'], ['ECONNRESET']]);
    });

    it('closes when it is told to reset what cannot be, a unix socket or one behind its end', async () => {
      const unix = await served(kind, 'a unix socket');
      unix.transport.reset();
      const ending = await served(kind);
      ending.transport.end();
      ending.transport.reset();
      await waitFor('both', () => unix.owner.events.includes('closed') && ending.owner.events.includes('closed'));
    });

    it('is closed when the client has reset it, whether it is read or written to', async () => {
      const reading = await served(kind);
      reading.client.resetAndDestroy();
      await waitFor('the close', () => reading.owner.events.includes('closed'));
      const writing = await served(kind);
      writing.transport.pause();
      expect(writing.transport.write([much])).to.equal(false);
      writing.client.resetAndDestroy();
      await waitFor('the close', () => writing.owner.events.length > 0);
      expect([reading.owner.events, writing.owner.events]).to.deep.equal([['closed'], ['closed']]);
    });

    it('tells nothing to whoever had it before', async () => {
      const { transport, client, owner } = await served(kind);
      transport.setOwner(noOwner);
      client.end('bytes');
      await waitFor('the end', () => transport.hasEnded);
      transport.destroy();
      await turns();
      expect([owner.heard, owner.events]).to.deep.equal(['', []]);
    });

    it('is closed when the client resets it behind our end', async () => {
      const { transport, client, owner } = await served(kind);
      transport.end();
      await once(client.resume(), 'end');
      client.resetAndDestroy();
      await waitFor('the close', () => owner.events.includes('closed'));
      expect(owner.events.filter((event) => event === 'closed')).to.have.length(1);
    });

    it('brings the end of a client that had ended to whoever carries it on', async () => {
      const { transport, client } = await served(kind);
      client.end();
      await waitFor('the end', () => transport.hasEnded);
      const heir = transportOf(transport.detach()!.handle);
      const next = new Listener();
      heir.setOwner(next);
      await waitFor('the end', () => next.events.includes('ended'));
      heir.destroy();
    });
  });
}

describe('a transport on a handle', () => {
  it('reads through one buffer of the process, and needs no socket', async () => {
    const buffers = new Set<ArrayBufferLike>();
    for (const _ of [1, 2]) {
      const { transport, client } = await accepted('on a handle');
      expect(transport).to.not.be.instanceOf(StreamTransport);
      let count = 0;
      const receive = (buffer: Buffer, length: number): void => {
        buffers.add(buffer.buffer);
        count += length;
      };
      transport.setOwner({ ...noOwner, receive });
      client.write('x');
      await waitFor('a byte', () => count === 1);
    }
    expect(buffers.size).to.equal(1);
  });

  it('is not had when the private API is switched off: the server goes on as it was', async () => {
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onEnd(() => server.close());
    expect(acceptRaw(server, () => {})).to.equal(false);
    const arrived = once(server, 'connection');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onEnd(() => client.destroy());
    const [socket] = (await arrived) as [Socket];
    const { handle } = new StreamTransport(socket).detach() ?? {};
    expect(handle).to.equal(undefined);
    socket.destroy();
  });
});
