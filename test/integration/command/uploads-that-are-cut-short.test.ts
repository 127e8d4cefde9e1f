import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, serve, workersOf } from './serving.ts';

const name = 'notes-what-befalls-a-request';

const head = (target: string, fields: string) => `POST ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`;
const ofNine = (target: string) => `${head(target, 'Content-Length: 9')}abc`;
const chunked = (target: string) => `${head(target, 'Transfer-Encoding: chunked')}3\r\nabc\r\n`;

interface Noting {
  port: number;
  /** what was noted of a target so far */
  notes(target: string): Promise<string[]>;
}

async function bareNode(): Promise<Noting> {
  const { listener } = (await import(application(name))) as {
    listener: (note: (line: string) => void) => RequestListener;
  };
  const lines: string[] = [];
  const server = createServer(listener((line) => lines.push(line))).listen(0, '127.0.0.1');
  onEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, notes: async (target) => ofTarget(lines, target) };
}

async function onEvy(...options: string[]): Promise<Noting & { evy: EvyProcess }> {
  const file = join(await tempFolder(), 'events');
  await writeFile(file, '');
  const args = [application(name), '--port', '0', '--workers', '1', ...options];
  const evy = await serve(args, { env: { EVENTS_FILE: file } });
  const notes = async (target: string) => ofTarget((await readFile(file, 'utf8')).split('\n'), target);
  return { evy, port: evy.port, notes };
}

function ofTarget(lines: readonly string[], target: string): string[] {
  return lines.flatMap((line) => (line.startsWith(`${target} `) ? [line.slice(target.length + 1)] : []));
}

/** All that is noted of a request that ends so. */
async function story({ port, notes }: Noting, request: string, target: string, act: (client: RawClient) => unknown) {
  const client = await connect({ port });
  client.send(request, 'POST');
  await waitFor('the request', async () => (await notes(target)).includes('begun'));
  await act(client);
  const last = ['request close', 'response close', ...(target.startsWith('/iterated') ? ['iteration ECONNRESET'] : [])];
  const isWhole = (lines: string[]) => last.every((line) => lines.includes(line));
  await waitFor('its end', async () => isWhole(await notes(target)));
  client.close();
  return notes(target);
}

/** What node:http tells of a client that has left. */
const leaving = async (target: string, request = ofNine) =>
  story(await bareNode(), request(target), target, (client) => client.abort());

const targets = ['/resumed', '/unread', '/answering', '/iterated'];

describe('an upload to a listener that is cut short', () => {
  it('by the client ends as on node:http', async () => {
    const bare = await bareNode();
    const evy = await onEvy();
    const ways: ReadonlyArray<[string, (client: RawClient) => void]> = [
      ['fin', (client) => client.halfClose()],
      ['both', (client) => client.close()],
      ['reset', (client) => client.abort()],
      ['nonsense', (client) => client.send('nonsense\r\n')],
    ];
    for (const [way, act] of ways) {
      for (const path of targets) {
        const target = `${path}?${way}`;
        const request = way === 'nonsense' ? chunked(target) : ofNine(target);
        const expected = await story(bare, request, target, act);
        expect(expected).to.include('request error ECONNRESET');
        expect(await story(evy, request, target, act), target).to.deep.equal(expected);
      }
    }
    expect(evy.evy.seen('app.failed')).to.deep.equal([]);
  });

  it('by the option maxBody ends as if the client had left, which gets 413', async () => {
    const evy = await onEvy('--max-body', '10');
    for (const target of targets) {
      const told = await story(evy, chunked(target), target, async (client) => {
        client.send(`20\r\n${'x'.repeat(32)}\r\n`);
        if (target !== '/answering') expect((await client.response()).status).to.equal(413);
        else expect(await client.closed()).to.be.a('string');
      });
      expect(told, target).to.deep.equal(await leaving(target, chunked));
    }
  });

  it('by the option requestTimeout ends as if the client had left, which gets 504', async () => {
    const evy = await onEvy('--request-timeout', '100ms');
    for (const target of targets) {
      const told = await story(evy, ofNine(target), target, async (client) => {
        if (target !== '/answering') expect((await client.response()).status).to.equal(504);
        else expect(await client.closed()).to.be.a('string');
      });
      expect(told, target).to.deep.equal(await leaving(target));
    }
  });

  it('by the end of the grace time ends as if the client had left', async () => {
    for (const target of targets) {
      const evy = await onEvy('--grace', '100ms');
      const told = await story(evy, ofNine(target), target, () => evy.evy.signal('SIGTERM'));
      expect(told, target).to.deep.equal(await leaving(target));
    }
  });

  it('lets a connection go on whose request has timed out once the rest of its body is here', async () => {
    const { port } = await onEvy('--request-timeout', '100ms');
    const client = await connect({ port });
    client.send(ofNine('/unread?first'), 'POST');
    expect((await client.response()).status).to.equal(504);
    client.send(`defghi${ofNine('/unread?second')}`, 'POST');
    expect((await client.response()).status).to.equal(504);
  });

  it('leaves no file open behind it', async () => {
    const folder = join(await tempFolder(), 'uploads');
    await mkdir(folder);
    const { evy, port, notes } = await onEvy();
    const paths = Array.from({ length: 100 }, (_, index) => `/file?path=${join(folder, String(index))}`);
    for (const target of paths) {
      const client = await connect({ port });
      client.send(ofNine(target));
      await waitFor('the request', async () => (await notes(target)).includes('begun'));
      client.close();
    }
    for (const target of paths)
      await waitFor('the end', async () => (await notes(target)).includes('pipeline ECONNRESET'));
    const [worker] = await workersOf(evy);
    const openUploads = async () => {
      const all = await readdir(`/proc/${worker!.pid}/fd`);
      const links = await Promise.all(all.map((fd) => readlink(`/proc/${worker!.pid}/fd/${fd}`).catch(() => '')));
      return links.filter((link) => link.startsWith(folder)).length;
    };
    await waitFor('no open file', async () => (await openUploads()) === 0);
  });
});
