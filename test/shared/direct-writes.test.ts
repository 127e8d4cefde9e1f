import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { writeDirectly, writesDirectly } from '../../src/shared/node-private.ts';
import { Output } from '../../src/worker/output.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** A connection with nobody reading at the client's end. */
async function pair(): Promise<{ server: Socket; client: Socket }> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onEnd(() => listener.close());
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  client.pause().on('error', () => {});
  const [server] = (await once(listener, 'connection')) as [Socket];
  onEnd(() => void client.destroy());
  onEnd(() => void server.destroy());
  return { server, client };
}

function collect(client: Socket): () => Buffer {
  const parts: Buffer[] = [];
  client.on('data', (part: Buffer) => parts.push(part)).resume();
  return () => Buffer.concat(parts);
}

class Counter {
  count = 0;
  written(): void {
    this.count += 1;
  }
}

/** More than a connection on loopback takes while its client does not read. */
const much = Buffer.alloc(16 * 2 ** 20, 'abcdefg').toString('latin1');

describe('writing past the queue of a stream', () => {
  it('works on plain connections of this Node, and not on what claims to be encrypted', async () => {
    const { server } = await pair();
    expect(writesDirectly(server)).to.equal(true);
    Object.assign(server, { encrypted: true });
    expect(writesDirectly(server)).to.equal(false);
  });

  it('says at once that the kernel has it, in latin-1', async () => {
    const { server, client } = await pair();
    const received = collect(client);
    const counter = new Counter();
    for (const text of ['one', '\xe4\xff', 'three']) expect(writeDirectly(server, text, counter)).to.equal(true);
    await waitFor('all of it', () => received().equals(Buffer.from('one\xe4\xffthree', 'latin1')));
    expect(counter.count).to.equal(0);
  });

  it('tells later, and once, when the client was to read first', async () => {
    const { server, client } = await pair();
    const counter = new Counter();
    expect(writeDirectly(server, much, counter)).to.equal(false);
    expect(counter.count).to.equal(0);
    // Meanwhile others write: a request that waits is not used for them.
    const other = await pair();
    const otherReceived = collect(other.client);
    expect(writeDirectly(other.server, 'other', new Counter())).to.equal(true);
    const received = collect(client);
    await waitFor('the report', () => counter.count === 1);
    expect(writeDirectly(server, 'end', counter)).to.equal(true);
    await waitFor('all of it', () => received().length === much.length + 3);
    expect(received().toString('latin1') === `${much}end`).to.equal(true);
    await waitFor('the other one', () => otherReceived().toString() === 'other');
    expect(counter.count).to.equal(1);
  });

  it('destroys a connection whose client has reset it, with the error of write(2)', async () => {
    const { server, client } = await pair();
    const errors: string[] = [];
    server.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code!));
    const counter = new Counter();
    writeDirectly(server, much, counter);
    client.resetAndDestroy();
    await once(server, 'close').catch(() => {});
    expect(errors).to.have.length(1);
    expect(errors[0]).to.be.oneOf(['ECONNRESET', 'EPIPE']);
    expect(counter.count).to.equal(0);
    expect(writeDirectly(server, 'more', counter)).to.equal(false);
  });

  it('says nothing more of a connection that was destroyed meanwhile', async () => {
    const { server, client } = await pair();
    const counter = new Counter();
    writeDirectly(server, much, counter);
    server.destroy();
    collect(client);
    await once(client, 'close');
    await new Promise((resolve) => setImmediate(resolve));
    expect(counter.count).to.equal(0);
  });

  it('keeps the order of texts, bytes and the end, whoever waits for whom', async () => {
    const { server, client } = await pair();
    const output = new Output(server, { progressed() {} });
    const expected: Buffer[] = [];
    for (let round = 0; round < 40; round += 1) {
      const text = `${round}`.padStart(30_000, '-');
      const bytes = Buffer.alloc(150_000, round);
      output.putText(text);
      if (round % 3 > 0) output.flush();
      output.putBytes(bytes);
      if (round % 2 > 0) output.flush();
      expected.push(Buffer.from(text, 'latin1'), bytes);
    }
    output.end();
    const received = collect(client);
    await once(client, 'end');
    expect(received().equals(Buffer.concat(expected))).to.equal(true);
    expect(output.isEmpty).to.equal(true);
  });
});
