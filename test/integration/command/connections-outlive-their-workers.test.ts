import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { readText, tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { header, text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { hammeredReloads } from './hammered-reloads.ts';
import {
  application,
  beginSlow,
  beIdle,
  crewOf,
  light,
  moreAnswers,
  reload,
  serve,
  slow,
  underLoad,
} from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const echo = application('echoes-load-id');
const pidOf = async (client: RawClient): Promise<string | undefined> => header(await client.request(get), 'X-Pid');

describe('under pipelined, cut and posted requests, rolling reloads', () => hammeredReloads(2));

describe('a connection that moves', () => {
  it('keeps its addresses and its place: idle, without a request yet, and from each interface to another one', async () => {
    const folder = await tempFolder();
    const say = (kind: string, pid: string) => `${kind} ${pid}`;
    const sources = {
      wsgi: `export default (env, start) => { start('200 OK', []); return [\`wsgi \${env.REMOTE_PORT}\`]; };`,
      node: `export default (request, response, _next) => response.end(\`node \${request.socket.remotePort}\`);`,
      fetch: `export default { fetch: (_request, { env }) => new Response(\`fetch \${env.REMOTE_PORT}\`) };`,
    };
    const write = (kind: keyof typeof sources) => writeFiles(folder, { 'app.mjs': sources[kind] });
    await write('wsgi');
    const evy = await serve(['--port', '0', '--workers', '1', 'app.mjs'], { cwd: folder });
    const used = await beIdle({ port: evy.port });
    const fresh = await Promise.all(Array.from({ length: 5 }, async () => connect({ port: evy.port })));
    for (const [index, kind] of (['node', 'fetch', 'node', 'wsgi'] as const).entries()) {
      await write(kind);
      await reload(evy);
      await crewOf(evy, [index + 2]);
      expect(await evy.until('reload.done', { times: index + 1 })).to.include({ moved: 6, drained: 0, cut: 0 });
      for (const client of [used, fresh[index]!]) {
        const response = await client.request(get);
        expect(text(response)).to.equal(say(kind, String(client.socket.localPort)));
        expect(header(response, 'Connection')).to.not.equal('close');
      }
    }
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('counts its requests on, from interface to interface', async () => {
    const folder = await tempFolder();
    const [wsgi, node] = [application('echoes-load-id'), application('echoes-load-id-node')];
    const write = (app: string) =>
      writeFiles(folder, {
        'evy.config.json': JSON.stringify({ app, port: 0, workers: 1, maxRequestsPerConnection: 5 }),
      });
    await write(wsgi);
    const evy = await serve([], { cwd: folder });
    const client = await beIdle({ port: evy.port });
    for (const [index, app] of [node, wsgi, node].entries()) {
      await write(app);
      await reload(evy);
      await crewOf(evy, [index + 2]);
      expect(header(await client.request(get), 'Connection')).to.not.equal('close');
    }
    expect(header(await client.request(get), 'Connection')).to.equal('close');
    expect(await client.closed()).to.equal('fin');
  });

  it('finishes the request that it is in the middle of, and then moves', async () => {
    const folder = await tempFolder();
    const gate = join(folder, 'gate');
    const evy = await serve(['--port', '0', '--workers', '1', slow]);
    const busy = await beginSlow({ port: evy.port }, gate);
    const [old] = await crewOf(evy, [1]);
    const half = await connect({ port: evy.port });
    half.send('GET / HTT');
    // Its bytes are there when a later connection has been answered.
    await beIdle({ port: evy.port });
    await reload(evy);
    await crewOf(evy, [1, 2]);
    half.send('P/1.1\r\nHost: test\r\n\r\n');
    const response = await half.response();
    expect([header(response, 'X-Pid'), header(response, 'Connection')]).to.deep.equal([String(old!.pid), undefined]);
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('begun,done');
    const [fresh] = await crewOf(evy, [2]);
    expect(await pidOf(half)).to.equal(String(fresh!.pid));
    expect(await pidOf(busy)).to.equal(String(fresh!.pid));
  });

  it('takes half a pipelined request along, and stays where that is until it is whole', async () => {
    const folder = await tempFolder({ 'app.mjs': await readText(slow) });
    const gate = join(folder, 'gate');
    const evy = await serve(['--port', '0', '--workers', '1', 'app.mjs'], { cwd: folder });
    const client = await connect({ port: evy.port });
    client.send(`GET /?${gate} HTTP/1.1\r\nHost: test\r\n\r\nGET /next HT`);
    await waitFor('the first piece of the response', () => client.received.includes('begun,'));
    // To node:http, whose parser takes what it gets and does not give it back.
    const listener = `export default (request, response, _next) => response.end(\`\${request.url} \${process.pid}\`);`;
    await writeFiles(folder, { 'app.mjs': listener });
    await reload(evy);
    await writeFiles(folder, { gate: '' });
    expect(text(await client.response())).to.equal('begun,done');
    const [second] = await crewOf(evy, [2]);
    await reload(evy);
    client.send('TP/1.1\r\nHost: test\r\n\r\n');
    expect(text(await client.response())).to.equal(`/next ${second!.pid}`);
    const [third] = await crewOf(evy, [3]);
    expect(text(await client.request(get))).to.equal(`/ ${third!.pid}`);
  });

  it('waits for a replacement when the only worker is told to leave', async () => {
    const evy = await serve(['--port', '0', '--workers', '1', echo]);
    const clients = await Promise.all(Array.from({ length: 5 }, async () => beIdle({ port: evy.port })));
    const [old] = await crewOf(evy, [1]);
    process.kill(old!.pid, 'SIGTERM');
    await evy.until('worker.retiring');
    for (const client of clients) expect(header(await client.request(get), 'Connection')).to.equal(undefined);
    await evy.until('worker.exit', { where: ({ pid }) => pid === old!.pid });
    expect(evy.seen('connections.moved')[0]).to.include({ pid: old!.pid, moved: 5, returned: 0 });
    const [fresh] = await crewOf(evy, [1]);
    for (const client of clients) expect(await pidOf(client)).to.equal(String(fresh!.pid));
  });

  it('moves when there are to be fewer workers', async () => {
    const evy = await serve(['--port', '0', '--workers', '3', echo]);
    const load = await underLoad(evy, light);
    evy.signal('SIGTTOU');
    await evy.until('scale');
    evy.signal('SIGTTOU');
    await crewOf(evy, [1]);
    await moreAnswers(load);
    expect(await load.stop()).to.deep.include({ failed: 0, wrong: 0, closedIdle: 0, announcedClose: 0, examples: [] });
  });
});

describe('a connection that cannot move', () => {
  it('over TLS: its next response is announced as the last, and nothing fails', async () => {
    const evy = await serve([
      '--bind',
      'tls:127.0.0.1:0',
      '--certfile',
      certfile,
      '--keyfile',
      keyfile,
      '-w',
      '2',
      echo,
    ]);
    const target: Target = { port: evy.port, tls: trusted };
    const clients = await Promise.all(Array.from({ length: 6 }, async () => beIdle(target)));
    await reload(evy);
    for (const client of clients) {
      expect(header(await client.request(get), 'Connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
    }
    await crewOf(evy, [2, 2]);
    expect(evy.seen('connections.moved')).to.deep.equal([]);
  });

  it('with a socket of the application: it is told how long it has', async () => {
    const folder = await tempFolder({
      'app.mjs': `export default (env) => {
        const socket = env['wsgi.input'].takeSocket();
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n\\r\\n');
        socket.on('data', () => {});
        socket.once('evy:drain', ({ graceMs }) => socket.end(\`leaving within \${graceMs}\`));
        return [];
      };`,
    });
    const evy = await serve(['--port', '0', '-w', '1', '--grace', '20s', 'app.mjs'], { cwd: folder });
    const client = await connect({ port: evy.port });
    client.send('GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    await waitFor('the upgrade', () => client.received.includes('\r\n\r\n'));
    await reload(evy);
    await client.closed();
    const graceMs = Number(/leaving within (\d+)$/.exec(client.received)?.[1]);
    expect(graceMs).to.be.within(15_000, 20_000);
    client.close();
    await crewOf(evy, [2]);
  });
});
