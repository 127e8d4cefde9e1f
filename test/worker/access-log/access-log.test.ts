import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { accessLogTo, openAccessLog } from '../../../src/worker/access-log/access-log.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { readText, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { eventLog, reportOf, requestOf, settingsOf } from './helpers.ts';

const status = '%(status_code)s';

async function open(accessLog: string, logFormat = status, accessLogSkip: string[] = []) {
  const { log, seen } = eventLog();
  const opened = await openAccessLog({ ...settingsOf(logFormat, { accessLogSkip }), accessLog }, log, 1);
  onEnd(() => opened!.close());
  const write = (code = 200, env = {}) => opened!.write(requestOf(env), reportOf(code), 0);
  return { log: opened!, seen, write, eventNames: () => seen.map(({ event }) => event) };
}

/** Collects what comes to it. */
class Collector {
  received = '';
  readonly sockets = new Set<Socket>();
  readonly server: Server = createServer((socket) => {
    this.sockets.add(socket);
    socket.on('data', (bytes) => (this.received += bytes.toString()));
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  });

  async listen(where: { path: string } | { port: number; host: string }): Promise<this> {
    this.server.listen(where);
    await once(this.server, 'listening');
    onEnd(() => this.stop());
    return this;
  }
  stop(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
  get lines(): string[] {
    return this.received.split('\n').slice(0, -1);
  }
}

describe('the access log', () => {
  it('is none when it is off', async () => {
    const { log, seen } = eventLog();
    expect(await openAccessLog({ ...settingsOf(status), accessLog: 'off' }, log, 1)).to.equal(undefined);
    expect(seen).to.deep.equal([]);
  });

  it('writes whole lines to whatever takes them, and does not mind when that throws', () => {
    const lines: string[] = [];
    const { log, seen } = eventLog();
    const taken = accessLogTo({ write: (line) => lines.push(line) }, settingsOf(status), log);
    onEnd(() => taken.close());
    taken.write(requestOf(), reportOf(), 0);
    taken.writeNow();
    expect(lines).to.deep.equal(['200\n']);
    const refuses = () => {
      throw new Error('no room');
    };
    const refused = accessLogTo({ write: refuses }, settingsOf(status), log);
    onEnd(() => refused.close());
    for (let count = 0; count < 10; count += 1) refused.write(requestOf(), reportOf(), 0);
    refused.writeNow();
    expect(seen).to.deep.equal([{ event: 'access-log.failed', target: 'log', error: 'no room' }]);
  });

  it('has the text of its format as it was given, in UTF-8', async () => {
    const file = join(await tempFolder(), 'log');
    const { log, write } = await open(file, `größer → ${status}`);
    write();
    await log.close();
    expect(await readText(file)).to.equal('größer → 200\n');
    const lines: string[] = [];
    const sink = { write: (line: string) => lines.push(line) };
    const toSink = accessLogTo(sink, settingsOf(`→ ${status}`), eventLog().log);
    toSink.write(requestOf(), reportOf(), 0);
    await toSink.close();
    expect(lines).to.deep.equal(['→ 200\n']);
  });

  it('makes the line of a request without writing it, and takes one that was made elsewhere', () => {
    const lines: string[] = [];
    const settings = settingsOf(status, { accessLogSkip: ['/health'] });
    const log = accessLogTo({ write: (line) => lines.push(line) }, settings, eventLog().log);
    onEnd(() => log.close());
    expect(log.line(requestOf(), reportOf(), 0)).to.equal('200\n');
    expect(log.line(requestOf({ RAW_PATH_INFO: '/health' }), reportOf(), 0)).to.equal(undefined);
    expect(lines).to.deep.equal([]);
    log.add('of another process\n');
    expect(lines).to.deep.equal(['of another process\n']);
  });

  it('leaves out what is to be skipped, unless it failed', async () => {
    const lines: string[] = [];
    const settings = settingsOf('%(path)s %(status_code)s', { accessLogSkip: ['/health', '/assets/*'] });
    const log = accessLogTo({ write: (line) => lines.push(line.trimEnd()) }, settings, eventLog().log);
    for (const path of ['/health', '/healthy', '/assets/a.css', '/assets', '/']) {
      log.write(requestOf({ RAW_PATH_INFO: path }), reportOf(304), 0);
    }
    for (const code of [0, 399, 400, 503]) log.write(requestOf({ RAW_PATH_INFO: '/health' }), reportOf(code), 0);
    await log.close();
    expect(lines).to.deep.equal(['/healthy 304', '/assets 304', '/ 304', '/health 0', '/health 400', '/health 503']);
  });
});

describe('an access log, whatever an application did to the environment', () => {
  it('does not skip what has no path any more', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log, write } = await open(path, status, ['/health*']);
    for (const RAW_PATH_INFO of [undefined, null, 7, '/health/1', '/x']) write(200, { RAW_PATH_INFO });
    const request = requestOf();
    Object.defineProperty(request.env, 'RAW_PATH_INFO', {
      get() {
        throw new Error('on purpose');
      },
    });
    log.write(request, reportOf(), 0);
    await log.close();
    expect(await readText(path)).to.equal('200\n'.repeat(5));
  });

  it('loses no other line to an entry that throws, and tells of it', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log, seen } = await open(path, '%(target)s %(user_agent)s');
    const throwing = Object.defineProperty({}, 'HTTP_USER_AGENT', {
      enumerable: true,
      get() {
        throw new Error('on purpose');
      },
    });
    for (const target of ['/1', '/2', '/3', '/4']) {
      const request = requestOf({}, { target });
      if (target === '/2') Object.setPrototypeOf(request.env, throwing);
      log.write(request, reportOf(), 0);
    }
    await new Promise(setImmediate);
    await log.close();
    expect(await readText(path)).to.equal('/1 -\n/3 -\n/4 -\n');
    expect(seen).to.deep.equal([{ event: 'access-log.failed', target: path, error: 'on purpose' }]);
  });

  it('has the report as it was when the request was over', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log } = await open(path, '%(status_code)s %(bytes_sent)s %(outcome)s %(duration_ms).3f');
    const report = { ...reportOf() };
    log.write(requestOf(), report, 0);
    Object.assign(report, { status: 0, bytesSent: 1, outcome: 'cut', durationMs: 0 });
    await log.close();
    expect(await readText(path)).to.equal('200 150 sent 12.346\n');
  });
});

describe('an access log in a file', () => {
  it('has what waits when it is to be written now, lines that are not made yet included', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log, write } = await open(path);
    write(200);
    await new Promise(setImmediate);
    write(404);
    log.writeNow();
    expect(await readText(path)).to.equal('200\n404\n');
  });

  it('has what waits when it is to be written now while the log is closing', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log, write } = await open(path);
    write(200);
    const closed = log.close();
    write(404);
    log.writeNow();
    await closed;
    expect((await readText(path)).split('\n').toSorted()).to.deep.equal(['', '200', '404']);
  });

  it('is written by itself after a moment, and whole at the end', async () => {
    const path = join(await tempFolder(), 'access.log');
    const { log, write } = await open(path);
    write(200);
    await waitFor('the line', async () => (await readText(path)) === '200\n');
    write(404);
    await log.close();
    expect(await readText(path)).to.equal('200\n404\n');
    write(500);
    log.reopen();
    expect(await readText(path)).to.equal('200\n404\n');
  });

  it('loses no line while it is rotated, however often', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'access.log');
    const { log, write, seen } = await open(path);
    let written = 0;
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 5000; count += 1) {
        write(round);
        written += 1;
      }
      await rename(path, `${path}.${round}`);
      log.reopen();
      log.reopen();
      for (let count = 0; count < 500; count += 1) write(round);
      written += 500;
      await waitFor('the new file', () => existsSync(path));
    }
    await log.close();
    const files = [path, ...Array.from({ length: 20 }, (_, round) => `${path}.${round}`)];
    const texts = await Promise.all(files.map(readText));
    const lines = texts.join('').split('\n').slice(0, -1);
    expect(lines).to.have.length(written);
    expect(lines.filter((line) => !/^\d+$/.test(line))).to.deep.equal([]);
    expect(seen).to.deep.equal([]);
  });

  it('goes on in the old file when the new one cannot be opened', async () => {
    const folder = await tempFolder({ 'logs/x': '' });
    const path = join(folder, 'logs/access.log');
    const { log, write, eventNames } = await open(path);
    await rename(join(folder, 'logs'), join(folder, 'old'));
    log.reopen();
    await waitFor('the report', () => eventNames().length === 1);
    write(200);
    await log.close();
    expect(await readText(join(folder, 'old/access.log'))).to.equal('200\n');
  });

  it('must be there at the start', async () => {
    const folder = await tempFolder();
    const failure = await open(join(folder, 'no/such/access.log')).catch((error: unknown) => error as Error);
    expect((failure as Error).message).to.include('ENOENT');
  });

  it('on a full disk is reported once, and says at the end what was lost', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const { log, write, seen } = await open('/dev/full');
    for (let count = 0; count < 20_000; count += 1) write();
    await waitFor('the report', () => seen.length === 1);
    for (let count = 0; count < 500_000; count += 1) write();
    expect(seen).to.have.length(1);
    expect(seen[0]).to.include({ event: 'access-log.failed', target: '/dev/full' });
    expect(seen[0]!.error).to.include('ENOSPC');
    await log.close();
    expect(seen[1]).to.deep.equal({ event: 'access-log.lost', target: '/dev/full', droppedLines: 520_000 });
  });
});

describe('an access log to a socket', () => {
  it('may wait for it, and loses nothing when that is not for long', async () => {
    const path = join(await tempFolder(), 'collector');
    const { write, seen } = await open(`unix:${path}`);
    write(201);
    await waitFor('the report', () => seen.length === 1);
    expect(seen[0]).to.include({ event: 'access-log.failed', target: `unix:${path}` });
    const collector = await new Collector().listen({ path });
    write(202);
    await waitFor('both lines', () => collector.lines.length === 2);
    expect(collector.received).to.equal('201\n202\n');
    await waitFor('the news', () => seen.length === 2);
    expect(seen[1]).to.deep.equal({ event: 'access-log.resumed', target: `unix:${path}`, droppedLines: 0 });
  });

  it('connects again when the collector was restarted, and tells what was dropped', async () => {
    const path = join(await tempFolder(), 'collector');
    const first = await new Collector().listen({ path });
    const { log, write, seen } = await open(`unix:${path}`);
    write(200);
    await waitFor('a line', () => first.lines.length === 1);
    first.stop();
    await once(first.server, 'close');
    await rm(path, { force: true });
    let written = 0;
    while (written < 400_000) {
      write(300);
      written += 1;
    }
    await waitFor('the report', () => seen.length > 0);
    const second = await new Collector().listen({ path });
    await waitFor('the news', () => seen.some(({ event }) => event === 'access-log.resumed'));
    await log.close();
    const dropped = seen.find(({ event }) => event === 'access-log.resumed')!.droppedLines as number;
    expect(dropped).to.be.above(0);
    await waitFor('all that was kept', () => second.lines.length === written - dropped);
    expect(new Set(second.lines)).to.deep.equal(new Set(['300']));
  });

  it('may be a TCP connection, and is flushed at the end', async () => {
    const collector = await new Collector().listen({ port: 0, host: '127.0.0.1' });
    const { port } = collector.server.address() as AddressInfo;
    const { log, write, seen } = await open(`tcp:127.0.0.1:${port}`);
    for (let count = 0; count < 30_000; count += 1) write();
    await log.close();
    await waitFor('all lines', () => collector.lines.length === 30_000);
    expect(seen).to.deep.equal([]);
  });

  it('costs a bounded memory when the collector does not read', async () => {
    const path = join(await tempFolder(), 'collector');
    const collector = await new Collector().listen({ path });
    collector.server.prependListener('connection', (socket: Socket) => setImmediate(() => socket.pause()));
    const { write, seen } = await open(`unix:${path}`);
    await waitFor('lines dropped', () => {
      for (let count = 0; count < 50_000; count += 1) write();
      return seen.length > 0;
    });
    expect(seen[0]).to.include({ error: 'lines come faster than they can be written' });
    for (const socket of collector.sockets) socket.resume();
    await waitFor('the news', () => seen.some(({ event }) => event === 'access-log.resumed'));
  });
});
