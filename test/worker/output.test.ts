import type { Socket } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Output } from '../../src/worker/output.ts';

type Done = (error?: Error | null) => void;

/** Takes what is written: at once, as a kernel with room does, or when it is told to acknowledge. */
class FakeSocket {
  destroyed = false;
  writableEnded = false;
  errored: Error | null = null;
  corked = 0;
  hasRoom = false;
  /** what each acknowledged write brought */
  readonly writes: Buffer[] = [];
  #open: Buffer[] = [];
  #done: Done | undefined;

  write(data: string | Buffer, ...rest: unknown[]): void {
    if (this.writableEnded) throw new Error('write after end');
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    const done = rest.find((one) => typeof one === 'function') as Done | undefined;
    if (done === undefined && this.#done !== undefined) throw new Error('two writes at once');
    if (bytes.length > 0) this.#open.push(bytes);
    if (done !== undefined) this.#done = done;
    else if (this.hasRoom && this.corked === 0) this.#take();
  }
  cork(): void {
    this.corked += 1;
  }
  uncork(): void {
    this.corked -= 1;
    if (this.hasRoom && this.corked === 0) this.#take();
  }
  end(): void {
    if (this.#done !== undefined) throw new Error('end before all was written');
    this.writableEnded = true;
  }
  get writableLength(): number {
    return this.#open.reduce((sum, { length }) => sum + length, 0);
  }
  get isWriting(): boolean {
    return this.#done !== undefined;
  }
  #take(): void {
    this.writes.push(Buffer.concat(this.#open));
    this.#open = [];
  }
  acknowledge(error?: Error): void {
    this.#take();
    const done = this.#done!;
    this.#done = undefined;
    done(error ?? null);
  }
  acknowledgeAll(): void {
    while (this.isWriting) this.acknowledge();
  }
}

function setUp() {
  const socket = new FakeSocket();
  let progress = 0;
  const progressed = (): void => {
    progress += 1;
  };
  const output = new Output(socket as unknown as Socket, { progressed });
  return { socket, output, progressed: () => progress };
}
const kilo = (count: number) => Buffer.alloc(count * 1024, 'k');

describe('Output', () => {
  it('sends what was put in while a write is under way with the next one', () => {
    const { socket, output } = setUp();
    output.putText('a');
    output.flush();
    for (const text of ['b', 'c', 'd']) {
      output.putText(text);
      output.flush();
    }
    socket.acknowledgeAll();
    expect(socket.writes.map(String)).to.deep.equal(['a', 'bcd']);
  });

  it('counts as sent only what was acknowledged', () => {
    const { socket, output } = setUp();
    output.putText('abc');
    output.flush();
    expect([output.accepted, output.sent, output.isEmpty]).to.deep.equal([3, 0, false]);
    socket.acknowledge();
    expect([output.accepted, output.sent, output.isEmpty]).to.deep.equal([3, 3, true]);
  });

  it('does not count a write that failed, and writes no more', () => {
    const { socket, output, progressed } = setUp();
    output.putText('abc');
    output.flush();
    output.putText('def');
    socket.acknowledge(new Error('EPIPE'));
    output.flush();
    expect([output.sent, socket.isWriting, progressed()]).to.deep.equal([0, false, 0]);
  });

  it('counts what the kernel took at once before flush() returns, and tells it once', () => {
    const { socket, output, progressed } = setUp();
    socket.hasRoom = true;
    output.putText('head');
    output.putBytes(kilo(300));
    output.flush();
    expect([output.sent, output.isEmpty, socket.isWriting]).to.deep.equal([300 * 1024 + 4, true, false]);
    expect([socket.writes.length, progressed()]).to.deep.equal([4, 1]);
  });

  it('does not take the bytes of a failed write for sent', () => {
    const { socket, output, progressed } = setUp();
    socket.hasRoom = true;
    socket.errored = new Error('EPIPE');
    output.putText('abc');
    output.flush();
    expect([output.sent, progressed()]).to.deep.equal([0, 0]);
  });

  it('sends big bodies in slices, the next only when the one before was taken', () => {
    const { socket, output } = setUp();
    output.putText('head');
    output.putBytes(kilo(150));
    output.putText('tail');
    output.flush();
    expect(output.isFull).to.equal(true);
    socket.acknowledgeAll();
    expect(socket.writes.map((bytes) => bytes.length)).to.deep.equal([81_920, 150 * 1024 + 8 - 81_920]);
    expect(socket.corked).to.equal(0);
  });

  it('keeps order and content for any mix of texts and bytes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 30 }),
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(kilo(63), 'x'.repeat(70_000)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.boolean(), fc.boolean())), (pieces) => {
        const { socket, output } = setUp();
        for (const [data, flush, hasRoom] of pieces) {
          socket.hasRoom = hasRoom;
          if (typeof data === 'string') output.putText(data);
          else output.putBytes(data);
          if (flush) output.flush();
        }
        output.flush();
        socket.acknowledgeAll();
        const expected = Buffer.concat(
          pieces.map(([data]) => (typeof data === 'string' ? Buffer.from(data, 'latin1') : data)),
        );
        expect(Buffer.concat(socket.writes).equals(expected)).to.equal(true);
        expect(Math.max(0, ...socket.writes.map((bytes) => bytes.length))).to.be.at.most(81_920);
        expect([output.sent, output.isEmpty]).to.deep.equal([expected.length, true]);
      }),
      { seed: 64, numRuns: 200 },
    );
  });

  it('writes text as latin-1: one byte a character', () => {
    const { socket, output } = setUp();
    output.putText('\xe4\xff');
    output.flush();
    socket.acknowledgeAll();
    expect(socket.writes[0]).to.deep.equal(Buffer.from([0xe4, 0xff]));
    expect(output.sent).to.equal(2);
  });

  it('shows views of bytes as they are, and no more of their buffer', () => {
    const { socket, output } = setUp();
    output.putBytes(new Uint8Array(Buffer.from('abcdef')).subarray(2, 4));
    output.flush();
    socket.acknowledgeAll();
    expect(String(socket.writes[0])).to.equal('cd');
  });

  it('holds producers back from 64 KiB on, until less than that is waiting', async () => {
    const { socket, output } = setUp();
    output.putBytes(kilo(63));
    expect(output.isFull).to.equal(false);
    output.putBytes(kilo(1));
    expect(output.isFull).to.equal(true);
    output.flush();
    let resolved = false;
    const drained = output.drained().then(() => {
      resolved = true;
    });
    await Promise.resolve();
    expect(resolved).to.equal(false);
    socket.acknowledge();
    await drained;
    await output.drained();
  });

  it('lets those who wait go when the socket is gone', async () => {
    const { socket, output } = setUp();
    output.putBytes(kilo(64));
    output.flush();
    const waiting = [output.drained(), output.drained()];
    socket.destroyed = true;
    output.release();
    await Promise.all(waiting);
    await output.drained();
  });

  it('sends FIN after all that was put in, once', () => {
    const { socket, output } = setUp();
    output.putBytes(kilo(100));
    output.end();
    expect(socket.writableEnded).to.equal(false);
    socket.acknowledgeAll();
    expect(socket.writableEnded).to.equal(true);
    output.flush();
    expect(Buffer.concat(socket.writes)).to.have.lengthOf(100 * 1024);
  });

  it('sends FIN at once when there is nothing to send', () => {
    const { socket, output } = setUp();
    output.end();
    expect(socket.writableEnded).to.equal(true);
  });
});
