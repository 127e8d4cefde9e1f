import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseBind } from '../../../src/master/sockets/bind-address.ts';
import { openListeners } from '../../../src/master/sockets/listeners.ts';
import type { Listener } from '../../../src/master/sockets/listeners.ts';
import { listenUnpolled } from '../../../src/shared/node-private/node-private.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { rejection } from '../helpers/fake-crew.ts';

async function open(texts: string[], inherited = true, unixMode = 0o600): Promise<Listener[]> {
  const binds = texts.map((text) => ({ bind: parseBind(text), given: `--bind ${text}` }));
  const kinds = { tcp: inherited, unix: inherited };
  const listeners = await openListeners(binds, { backlog: 16, unixMode, workersInherit: kinds });
  onEnd(() => listeners.forEach((listener) => listener.close()));
  return listeners;
}

/** A process that listens on a unix socket and was killed: only its file is left. */
async function staleSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(existsSync(path)).to.equal(true);
}

async function liveServer(where: string | number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  onEnd(() => server.close());
  server.listen(where);
  await once(server, 'listening');
  return server;
}

for (const inherited of [true, false]) {
  describe(`listeners, ${inherited ? 'inherited by workers' : 'accepted from by the master'}`, () => {
    it('know their port when 0 was asked for', async () => {
      const [one, two] = await open(['127.0.0.1:0', 'tls:localhost:0'], inherited);
      expect(one!.address).to.include({ kind: 'tcp', host: '127.0.0.1', tls: false });
      expect(one!.address.name).to.match(/^127\.0\.0\.1:\d+$/);
      expect(one!.address.port).to.be.within(1, 65_535);
      expect(two!.address.tls).to.equal(true);
      expect(one!.fd === undefined).to.equal(!inherited);
      expect(one!.server === undefined).to.equal(inherited);
    });

    it('take IPv4 and IPv6 on [::]', async function () {
      if (!existsSync('/proc/net/if_inet6')) this.skip();
      const [listener] = await open(['[::]:0'], inherited);
      expect(listener!.address.name).to.match(/^\[::\]:\d+$/);
      // The port is taken for IPv4 as well: it is one socket for both.
      const error = await rejection(open([`127.0.0.1:${listener!.address.port}`], inherited));
      expect(error).to.include({ code: 'ADDRESS_IN_USE' });
    });

    it('make a unix socket with its mode, replace a stale one, and remove it', async () => {
      const path = join(await tempFolder(), 's');
      await staleSocket(path);
      const [listener] = await open([`unix:${path}`], inherited, 0o640);
      expect(listener!.address).to.include({ name: `unix:${path}`, kind: 'unix', path });
      expect(statSync(path).mode & 0o777).to.equal(0o640);
      listener!.close();
      expect(existsSync(path)).to.equal(false);
    });

    it('refuse a unix socket on which somebody listens', async () => {
      const path = join(await tempFolder(), 's');
      await liveServer(path);
      const error = await rejection(open([`unix:${path}`], inherited));
      expect(error).to.include({ code: 'ADDRESS_IN_USE', exitCode: 3 });
      expect(error.message).to.contain(`--bind unix:${path}`);
      expect(existsSync(path)).to.equal(true);
    });

    it('refuse a file that is not a socket, and leave it', async () => {
      const path = join(await tempFolder({ s: 'precious' }), 's');
      const error = await rejection(open([`unix:${path}`], inherited));
      expect(error).to.include({ code: 'ADDRESS_IN_USE' });
      expect(error.message).to.contain('not a socket');
      expect(statSync(path).size).to.equal(8);
    });

    it('say what is wrong with an address', async () => {
      const server = await liveServer(0);
      const { port } = server.address() as { port: number };
      expect(await rejection(open([`127.0.0.1:${port}`], inherited))).to.include({ code: 'ADDRESS_IN_USE' });
      expect(await rejection(open(['192.0.2.1:0'], inherited))).to.include({ code: 'ADDRESS_NOT_AVAILABLE' });
      expect(await rejection(open(['nowhere.invalid:0'], inherited))).to.include({ code: 'ADDRESS_NOT_AVAILABLE' });
      const noFolder = await rejection(open(['unix:/nonexistent/s'], inherited));
      expect(noFolder).to.include({ code: 'LISTEN_FAILED' });
      expect(noFolder.message).to.contain('the folder /nonexistent does not exist');
    });

    it('open all or none', async () => {
      const path = join(await tempFolder(), 's');
      await rejection(open([`unix:${path}`, '192.0.2.1:0'], inherited));
      expect(existsSync(path)).to.equal(false);
    });

    it('refuse a descriptor that is not a socket', async () => {
      const fd = openSync('/dev/null', 'r');
      expect(await rejection(open([`fd:${fd}`], inherited))).to.include({ code: 'BAD_BIND', exitCode: 2 });
      expect(await rejection(open(['fd:99999'], inherited))).to.include({ code: 'BAD_BIND' });
    });
  });
}

describe('a listener on a unix socket', () => {
  it('leaves the path to whoever has taken it over', async () => {
    const path = join(await tempFolder(), 's');
    const [first] = await open([`unix:${path}`]);
    rmSync(path);
    const [second] = await open([`unix:${path}`]);
    first!.close();
    expect(existsSync(path)).to.equal(true);
    second!.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('is closed also when its file has gone', async () => {
    const path = join(await tempFolder(), 's');
    const [listener] = await open([`unix:${path}`]);
    rmSync(path);
    listener!.close();
    await open([`unix:${path}`]);
  });
});

describe('a listener on an inherited descriptor', () => {
  it('knows its address and leaves the descriptor open', async () => {
    const socket = await listenUnpolled({ kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 }, 8);
    onEnd(() => socket.close());
    const [listener] = await open([`fd:${socket.fd}`]);
    expect(listener!.address.name).to.equal(`127.0.0.1:${socket.address!.port}`);
    expect(listener!.fd).to.equal(socket.fd);
    listener!.close();
    expect(await rejection(open([`127.0.0.1:${socket.address!.port}`]))).to.include({ code: 'ADDRESS_IN_USE' });
  });

  it('may be a unix socket', async () => {
    const path = join(await tempFolder(), 's');
    const socket = await listenUnpolled({ kind: 'unix', path }, 8);
    onEnd(() => socket.close());
    const [listener] = await open([`fd:${socket.fd}`]);
    expect(listener!.address).to.deep.equal({ name: `fd:${socket.fd}`, kind: 'unix', tls: false });
  });
});
