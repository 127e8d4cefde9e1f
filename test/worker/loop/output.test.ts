import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Transport } from '../../../src/shared/node-private/node-private.ts';
import { Output } from '../../../src/worker/loop/output.ts';

/** Takes what is written: at once, as a kernel with room does, or when it is told to acknowledge. */
class FakeTransport implements Pick<Transport, 'write' | 'end' | 'isEnded' | 'isDestroyed'> {
  isDestroyed = false;
  isEnded = false;
  hasRoom = false;
  /** what each write that was taken brought */
  readonly writes: Buffer[] = [];
  /** told of a write that had to wait */
  written: () => void = () => {};
  #waiting: Buffer | undefined;

  write(data: string | readonly Buffer[]): boolean {
    if (this.isEnded) throw new Error('a write behind the end');
    if (this.#waiting !== undefined) throw new Error('two writes at once');
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.concat(data);
    if (bytes.length === 0) throw new Error('nothing to write');
    if (this.hasRoom) this.writes.push(bytes);
    else this.#waiting = bytes;
    return this.hasRoom;
  }
  end(): void {
    if (this.#waiting !== undefined) throw new Error('end before all was written');
    this.isEnded = true;
  }
  get isWriting(): boolean {
    return this.#waiting !== undefined;
  }
  acknowledge(): void {
    this.writes.push(this.#waiting!);
    this.#waiting = undefined;
    this.written();
  }
  acknowledgeAll(): void {
    while (this.isWriting) this.acknowledge();
  }
  /** As when the client has reset the connection: whatever waits is lost. */
  fail(): void {
    this.#waiting = undefined;
    this.isDestroyed = true;
  }
}

function setUp() {
  const transport = new FakeTransport();
  let progress = 0;
  const progressed = (): void => {
    progress += 1;
  };
  let spoils = 0;
  const spoiled = (): void => {
    spoils += 1;
  };
  const output = new Output(transport as unknown as Transport, { progressed, spoiled });
  transport.written = () => output.written();
  return { transport, output, progressed: () => progress, spoiled: () => spoils };
}
const kilo = (count: number) => Buffer.alloc(count * 1024, 'k');

describe('Output', () => {
  it('sends what was put in while a write is under way with the next one', () => {
    const { transport, output } = setUp();
    output.putText('a');
    output.flush();
    for (const text of ['b', 'c', 'd']) {
      output.putText(text);
      output.flush();
    }
    transport.acknowledgeAll();
    expect(transport.writes.map(String)).to.deep.equal(['a', 'bcd']);
  });

  it('counts as sent only what was acknowledged', () => {
    const { transport, output } = setUp();
    output.putText('abc');
    output.flush();
    expect([output.accepted, output.sent, output.isEmpty]).to.deep.equal([3, 0, false]);
    transport.acknowledge();
    expect([output.accepted, output.sent, output.isEmpty]).to.deep.equal([3, 3, true]);
  });

  it('sends nothing in the place of bytes that are not there any more', () => {
    for (const kiloBefore of [0, 100]) {
      const { transport, output, spoiled } = setUp();
      output.putText('a');
      output.flush();
      output.putBytes(kilo(kiloBefore));
      const piece = new Uint8Array(5000);
      output.putBytes(piece);
      structuredClone(piece.buffer, { transfer: [piece.buffer] });
      output.putText('HTTP/1.1 200 OK\r\n');
      transport.hasRoom = true;
      transport.acknowledge();
      output.flush();
      output.putText('more');
      output.flush();
      expect([spoiled(), output.sent]).to.deep.equal([1, 1 + kiloBefore * 1024]);
      expect(Buffer.concat(transport.writes).includes('HTTP')).to.equal(false);
    }
  });

  it('does not count bytes that were taken back while they were under way', () => {
    const { transport, output, spoiled } = setUp();
    const piece = new Uint8Array(5000);
    output.putBytes(piece);
    output.flush();
    structuredClone(piece.buffer, { transfer: [piece.buffer] });
    output.putText('HTTP/1.1 200 OK\r\n');
    transport.acknowledge();
    output.flush();
    expect([spoiled(), output.sent, transport.isWriting]).to.deep.equal([1, 0, false]);
  });

  it('does not count a write that failed, and writes no more', () => {
    const { transport, output, progressed } = setUp();
    output.putText('abc');
    output.flush();
    output.putText('def');
    transport.fail();
    output.flush();
    expect([output.sent, transport.isWriting, progressed()]).to.deep.equal([0, false, 0]);
  });

  it('counts what the kernel took at once before flush() returns, and tells it once', () => {
    const { transport, output, progressed } = setUp();
    transport.hasRoom = true;
    output.putText('head');
    output.putBytes(kilo(300));
    output.flush();
    expect([output.sent, output.isEmpty, transport.isWriting]).to.deep.equal([300 * 1024 + 4, true, false]);
    expect([transport.writes.length, progressed()]).to.deep.equal([4, 1]);
  });

  it('sends big bodies in slices, the next only when the one before was taken', () => {
    const { transport, output } = setUp();
    output.putText('head');
    output.putBytes(kilo(150));
    output.putText('tail');
    output.flush();
    expect(output.isFull).to.equal(true);
    transport.acknowledgeAll();
    expect(transport.writes.map((bytes) => bytes.length)).to.deep.equal([81_920, 150 * 1024 + 8 - 81_920]);
  });

  it('keeps order and content for any mix of texts and bytes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 30 }),
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(kilo(63), 'x'.repeat(70_000)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.boolean(), fc.boolean())), (pieces) => {
        const { transport, output } = setUp();
        for (const [data, flush, hasRoom] of pieces) {
          transport.hasRoom = hasRoom;
          if (typeof data === 'string') output.putText(data);
          else output.putBytes(data);
          if (flush) output.flush();
        }
        output.flush();
        transport.acknowledgeAll();
        const expected = Buffer.concat(
          pieces.map(([data]) => (typeof data === 'string' ? Buffer.from(data, 'latin1') : data)),
        );
        expect(Buffer.concat(transport.writes).equals(expected)).to.equal(true);
        expect(Math.max(0, ...transport.writes.map((bytes) => bytes.length))).to.be.at.most(81_920);
        expect([output.sent, output.isEmpty]).to.deep.equal([expected.length, true]);
      }),
      { seed: 64, numRuns: 200 },
    );
  });

  it('writes text as latin-1: one byte a character', () => {
    const { transport, output } = setUp();
    output.putText('\xe4\xff');
    output.flush();
    transport.acknowledgeAll();
    expect(transport.writes[0]).to.deep.equal(Buffer.from([0xe4, 0xff]));
    expect(output.sent).to.equal(2);
  });

  it('shows views of bytes as they are, and no more of their buffer', () => {
    const { transport, output } = setUp();
    output.putBytes(new Uint8Array(Buffer.from('abcdef')).subarray(2, 4));
    output.flush();
    transport.acknowledgeAll();
    expect(String(transport.writes[0])).to.equal('cd');
  });

  it('holds producers back from 64 KiB on, until less than that is waiting', async () => {
    const { transport, output } = setUp();
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
    transport.acknowledge();
    await drained;
    await output.drained();
  });

  it('lets those who wait go when the socket is gone', async () => {
    const { transport, output } = setUp();
    output.putBytes(kilo(64));
    output.flush();
    const waiting = [output.drained(), output.drained()];
    transport.isDestroyed = true;
    output.abandon();
    await Promise.all(waiting);
    await output.drained();
  });

  it('sends FIN after all that was put in, once', () => {
    const { transport, output } = setUp();
    output.putBytes(kilo(100));
    output.end();
    expect(transport.isEnded).to.equal(false);
    transport.acknowledgeAll();
    expect(transport.isEnded).to.equal(true);
    output.flush();
    expect(Buffer.concat(transport.writes)).to.have.lengthOf(100 * 1024);
  });

  it('sends FIN at once when there is nothing to send', () => {
    const { transport, output } = setUp();
    output.end();
    expect(transport.isEnded).to.equal(true);
  });
});
