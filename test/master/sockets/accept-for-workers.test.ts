import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { ConnectionDispatcher, roomWithin } from '../../../src/master/sockets/accept-for-workers.ts';
import type { Recipient } from '../../../src/master/sockets/accept-for-workers.ts';
import type { Listener } from '../../../src/master/sockets/listeners.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor, withDeadline } from '../../helpers/wait-for.ts';
import { askAt, fakeCrew } from '../helpers/fake-crew.ts';

/** Connections of this process to a port, as the kernel lists them (proc(5), net/tcp). */
function connectionsTo(port: number): number {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01`;
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .filter((line) => line.includes(remote)).length;
}

/** No private API, and no way around it for TCP: pausing a listening socket stops nothing. */
function switchedOff(): void {
  const { pause } = net.Socket.prototype;
  process.env['EVY_PRIVATE_API'] = 'off';
  net.Socket.prototype.pause = function (this: Duplex) {
    return Duplex.prototype.pause.call(this);
  } as typeof pause;
  onEnd(() => {
    delete process.env['EVY_PRIVATE_API'];
    net.Socket.prototype.pause = pause;
  });
}

describe('where workers cannot inherit sockets, the master', () => {
  beforeEach(switchedOff);

  it('accepts and hands connections to the ready workers in turn', async () => {
    const crew = await fakeCrew({}, { bind: ['127.0.0.1:0', 'unix:app.sock'] });
    const { addresses } = await crew.master.start();
    expect(crew.lines('master.fallback')).to.have.length(2);
    const pids = new Set<number>();
    for (let count = 0; count < 4; count += 1) pids.add((await askAt(addresses[0]!))[1]!);
    expect([...pids]).to.have.members(crew.pids());
    expect((await askAt(addresses[1]!))[0]).to.equal(1);
  });

  it('refuses nobody during a reload or when all workers die', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    const reloaded = crew.master.reload();
    let asked = 0;
    const asking = (async () => {
      while (crew.master.status().generation === 1) {
        await crew.ask();
        asked += 1;
      }
    })();
    await reloaded;
    await asking;
    expect(asked).to.be.above(0);
    for (const pid of crew.pids()) process.kill(pid, 'SIGKILL');
    await crew.until('worker:exit', 4);
    const answers = await Promise.all(Array.from({ length: 4 }, () => crew.ask()));
    expect(answers.map(([generation]) => generation)).to.deep.equal([2, 2, 2, 2]);
  });

  it('lets no client wait for a worker that died before it took its connection', async function () {
    if (process.platform !== 'linux') this.skip();
    const crew = await fakeCrew();
    const { addresses } = await crew.master.start();
    const pids = crew.pids();
    // Stopped, they do not take what is sent to them: one connection is in each channel, the others wait in the master.
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const outcomes = Array.from({ length: 8 }, () =>
      askAt(addresses[0]!).then(
        ([generation]) => (generation === 1 ? 'served' : 'closed'),
        () => 'closed',
      ),
    );
    await waitFor('the connections', () => connectionsTo(addresses[0]!.port!) >= 8);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const told = await withDeadline('every client to know', Promise.all(outcomes), 30_000);
    expect(told.filter((outcome) => outcome === 'served').length).to.be.at.least(6);
  });
});

describe('ConnectionDispatcher', () => {
  const socket = () =>
    Object.assign(new EventEmitter(), {
      destroyed: false,
      destroy() {
        this.destroyed = true;
      },
    });
  const setup = () => {
    const server = new EventEmitter();
    const workers: Recipient[] = [];
    const limits = { room: Infinity };
    const dispatcher = new ConnectionDispatcher(
      [{ server } as unknown as Listener],
      () => workers,
      () => limits.room,
    );
    return { server, workers, dispatcher, limits };
  };

  const recipient = (send: Recipient['send']): Recipient => ({ send, noteConnection() {} });

  it('keeps connections while no worker is ready', () => {
    const { server, workers, dispatcher } = setup();
    const one = socket();
    server.emit('connection', one);
    expect(dispatcher.waiting).to.equal(1);
    const sent: unknown[] = [];
    workers.push(recipient((message, given) => void sent.push(message, given)));
    dispatcher.flush();
    expect(sent).to.deep.equal([{ type: 'connection', bind: 0 }, one]);
    expect(dispatcher.waiting).to.equal(0);
  });

  it('hands over as many as there is room for, and the rest in order when there is more', () => {
    const { server, workers, dispatcher, limits } = setup();
    const got: Socket[] = [];
    workers.push({
      send: (_message, given) => void got.push(given),
      noteConnection: () => (limits.room -= 1),
    });
    limits.room = 1;
    const [one, two, three] = [socket(), socket(), socket()];
    for (const each of [one, two, three]) server.emit('connection', each);
    expect([got, dispatcher.waiting]).to.deep.equal([[one], 2]);
    // More than the limit by now, after it was lowered.
    limits.room = -3;
    dispatcher.flush();
    limits.room = 2;
    dispatcher.flush();
    expect([got, dispatcher.waiting]).to.deep.equal([[one, two, three], 0]);
  });

  it('knows how much room there is, without a limit as well', () => {
    const workers = [{ connections: 3 }, { connections: 4 }];
    expect([roomWithin(10, workers), roomWithin(0, workers), roomWithin(5, workers)]).to.deep.equal([3, Infinity, -2]);
  });

  it('gives a connection that a worker did not get to another one', async () => {
    const { server, workers } = setup();
    const got: Socket[] = [];
    workers.push(
      recipient((_message, _given, done) => done(new Error('gone'))),
      recipient((_message, given, done) => [got.push(given), done(null)]),
    );
    const one = socket();
    const two = socket();
    server.emit('connection', one);
    server.emit('connection', two);
    await waitFor('both', () => got.length === 2);
    expect(new Set(got)).to.deep.equal(new Set([one, two]));
    expect([one.destroyed, two.destroyed]).to.deep.equal([true, true]);
  });

  it('takes back what a worker that has ended did not get', () => {
    const { server, workers, dispatcher } = setup();
    const first = recipient(() => {});
    workers.push(first);
    const one = socket();
    server.emit('connection', one);
    expect(dispatcher.waiting).to.equal(0);
    const got: Socket[] = [];
    workers.splice(
      0,
      1,
      recipient((_message, given, done) => [got.push(given), done(null)]),
    );
    dispatcher.gone(first);
    dispatcher.gone(first);
    expect(got).to.deep.equal([one]);
  });

  it('gives up what waits when it is closed', () => {
    const { server, dispatcher } = setup();
    const one = socket();
    server.emit('connection', one);
    dispatcher.close();
    expect(one.destroyed).to.equal(true);
  });
});
