import { expect } from 'chai';
import { connect } from '../helpers/raw-client.ts';
import { serveExample, written } from './run-example.ts';

const stopped = { code: 0, signal: null };

async function postJson(url: string, value: unknown): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value) });
  return response.json();
}

describe('examples for the command', () => {
  it('hello.ts counts in its post hook what it sent', async () => {
    const evy = await serveExample('examples/hello.ts');
    // One connection, so one worker.
    const client = await connect({ port: evy.port });
    const first = await client.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const length = client.bytesReceived;
    const second = await client.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(String(first.body)).to.match(/^Hello, World! Worker \d+ sent 0 bytes in 0 responses before\.\r\n$/);
    expect(String(second.body)).to.include(`sent ${length} bytes in 1 responses before`);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('middleware.ts goes around hello.ts', async () => {
    const evy = await serveExample('examples/hello.ts', 'examples/middleware.ts');
    const response = await fetch(evy.url);
    const [, pid] = /Worker (\d+)/.exec(await response.text()) ?? [];
    expect(response.headers.get('X-Served-By')).to.equal(`worker ${pid}`);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('evy.config.ts names application, middleware and options', async () => {
    const evy = await serveExample('--config', 'examples/evy.config.ts');
    expect(evy.seen('worker.ready')).to.have.length(2);
    const response = await fetch(evy.url);
    expect(response.headers.get('X-Served-By')).to.match(/^worker \d+$/);
    expect(await response.text()).to.match(/^Hello, World!/);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('streaming.ts sends piece by piece, to the end', async () => {
    const evy = await serveExample('examples/streaming.ts');
    const pieces: string[] = [];
    const response = await fetch(evy.url);
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) pieces.push(piece);
    expect(pieces.join('')).to.equal('10\n9\n8\n7\n6\n5\n4\n3\n2\n1\nlift-off\n');
    expect(pieces[0]).to.equal('10\n');
    await written(evy, /counted to the end/);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('streaming.ts stops when the client leaves', async () => {
    const evy = await serveExample('examples/streaming.ts');
    const client = await connect({ port: evy.port });
    client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.bytes(1);
    client.close();
    await written(evy, /the client left at (10|9|8)\n/);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('fetch-hono.ts is a Hono application with a post hook', async () => {
    const evy = await serveExample('examples/fetch-hono.ts');
    expect(await (await fetch(evy.url)).text()).to.equal('Hello, Hono!\n');
    expect(await postJson(`${evy.url}/echo`, { one: 1 })).to.deep.equal({ one: 1 });
    await written(evy, /echoed, \d{2,} bytes sent/);
    expect((await fetch(`${evy.url}/missing`)).status).to.equal(404);
    expect(await evy.stop()).to.deep.equal(stopped);
  });

  it('node-express.ts is an Express application with a post hook', async () => {
    const evy = await serveExample('examples/node-express.ts');
    expect(await (await fetch(evy.url)).text()).to.equal('Hello, Express!\n');
    expect(await postJson(`${evy.url}/echo`, { one: 1 })).to.deep.equal({ one: 1 });
    await written(evy, /echoed, \d{2,} bytes sent/);
    expect((await fetch(`${evy.url}/missing`)).status).to.equal(404);
    expect(await evy.stop()).to.deep.equal(stopped);
  });
});
