import type { Socket } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { EvyError } from '../../../src/shared/errors.ts';
import { RequestInput } from '../../../src/worker/request/request-input.ts';
import type { BodySource, InputOwner } from '../../../src/worker/request/request-input.ts';

class Source implements BodySource, InputOwner {
  readonly continues: Array<ReadonlyArray<readonly [string, string]>> = [];
  wanted = 0;
  onWanted: () => void = () => {};
  readonly signal = new AbortController().signal;
  readonly requestId = 'r-1';
  bodyWanted(): void {
    this.wanted += 1;
    this.onWanted();
  }
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    this.continues.push(headers);
  }
  takeSocket(): Socket {
    throw new Error('not here');
  }
}

function newInput(source: Source, hasBody: boolean, expectsContinue: boolean): RequestInput {
  return new RequestInput(source, source, hasBody, expectsContinue);
}

function inputOf(...pieces: string[]): RequestInput {
  const input = newInput(new Source(), true, false);
  for (const piece of pieces) input.deliver(Buffer.from(piece));
  input.finish();
  return input;
}
const texts = (buffers: Buffer[]) => buffers.map(String);

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof EvyError) return error.code;
    throw error;
  }
  return undefined;
}

describe('wsgi.input', () => {
  it('reads all, or up to a size, and then nothing', async () => {
    const input = inputOf('abc', 'def', 'g');
    expect(String(await input.read(2))).to.equal('ab');
    expect(String(await input.read(3))).to.equal('cde');
    expect(String(await input.read(0))).to.equal('');
    expect(String(await input.read())).to.equal('fg');
    expect(await input.read()).to.have.lengthOf(0);
    expect(await input.read(5)).to.have.lengthOf(0);
  });

  it('takes a negative size for all', async () => {
    expect(String(await inputOf('abc', 'def').read(-1))).to.equal('abcdef');
    expect(String(await inputOf('ab', 'c\n').readline(-1))).to.equal('abc\n');
  });

  it('reads more than there is only up to the end', async () => {
    expect(String(await inputOf('abc', 'def').read(100))).to.equal('abcdef');
  });

  it('reads lines with their LF, whatever the pieces', async () => {
    const input = inputOf('a', 'b\nc', '\n\nd', 'e');
    const lines: string[] = [];
    for (let line = await input.readline(); line.length > 0; line = await input.readline()) lines.push(String(line));
    expect(lines).to.deep.equal(['ab\n', 'c\n', '\n', 'de']);
  });

  it('reads no more of a line than was asked for', async () => {
    const input = inputOf('abc', 'def\nx');
    expect(String(await input.readline(2))).to.equal('ab');
    expect(String(await input.readline(3))).to.equal('cde');
    expect(String(await input.readline(100))).to.equal('f\n');
    expect(await input.readline(0)).to.have.lengthOf(0);
    expect(String(await input.readline())).to.equal('x');
  });

  it('reads all lines, or until a hint of bytes is reached', async () => {
    expect(texts(await inputOf('a\nb\nc').readlines())).to.deep.equal(['a\n', 'b\n', 'c']);
    expect(texts(await inputOf('a\nb\nc').readlines(0))).to.deep.equal(['a\n', 'b\n', 'c']);
    const input = inputOf('aa\nbb\ncc\n');
    expect(texts(await input.readlines(4))).to.deep.equal(['aa\n', 'bb\n']);
    expect(texts(await input.readlines())).to.deep.equal(['cc\n']);
  });

  it('can be iterated, stopped and read on', async () => {
    const input = inputOf('ab', 'cd', 'ef');
    for await (const piece of input) {
      expect(String(piece)).to.equal('ab');
      break;
    }
    expect(String(await input.read(1))).to.equal('c');
    const rest: string[] = [];
    for await (const piece of input) rest.push(String(piece));
    expect(rest).to.deep.equal(['d', 'ef']);
  });

  it('throws the rest away on demand', async () => {
    const input = inputOf('ab', 'cd');
    await input.read(1);
    await input.discard();
    expect(await input.read()).to.have.lengthOf(0);
  });

  it('is at its end at once when the request has no body', async () => {
    const source = new Source();
    const input = newInput(source, false, false);
    expect(await input.read()).to.have.lengthOf(0);
    expect(source.wanted).to.equal(0);
  });

  it('gives the same bytes for any mix of reads over any pieces', async () => {
    const step = fc.oneof(
      fc.record({ how: fc.constant('read' as const), size: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ how: fc.constant('readline' as const), size: fc.integer({ min: 1, max: 9 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', '\n') })),
        fc.array(step),
        async (pieces, steps) => {
          const input = inputOf(...pieces);
          let read = '';
          for (const { how, size } of steps) {
            const part = String(await input[how](size));
            expect(part).to.have.lengthOf.at.most(size);
            if (how === 'readline') expect(part.indexOf('\n')).to.be.oneOf([-1, part.length - 1]);
            read += part;
          }
          expect(read + String(await input.read())).to.equal(pieces.join(''));
        },
      ),
      { seed: 3333, numRuns: 500 },
    );
  });

  it('gives each byte once to reads that overlap', async () => {
    const source = new Source();
    const input = newInput(source, true, false);
    const reads = [input.read(2), input.readline(), input.read(2), input.discard(), input.read()];
    for (const piece of ['ab', 'cd', 'ef\n', 'gh']) input.deliver(Buffer.from(piece));
    input.finish();
    const parts = (await Promise.all(reads)).filter((part) => part !== undefined).map(String);
    for (const letter of 'abcdefgh') expect(parts.join('').split(letter).length - 1, letter).to.be.at.most(1);
    expect(parts[0]).to.have.lengthOf(2);
  });

  it('asks for more only when somebody reads and there is nothing', async () => {
    const source = new Source();
    const input = newInput(source, true, false);
    input.deliver(Buffer.from('abc'));
    await input.read(2);
    expect(source.wanted).to.equal(0);
    source.onWanted = () => input.deliver(Buffer.from('def'));
    expect(String(await input.read(3))).to.equal('cde');
    expect(source.wanted).to.equal(1);
  });

  it('says when it has had enough for now, and when it has room again', async () => {
    const input = newInput(new Source(), true, false);
    expect(input.hasRoom).to.equal(true);
    input.deliver(Buffer.alloc(65_536));
    expect(input.hasRoom).to.equal(false);
    await input.read(1);
    expect(input.hasRoom).to.equal(true);
  });

  it('gives what arrived of a body that was cut short, and then rejects with the reason', async () => {
    const input = newInput(new Source(), true, false);
    input.deliver(Buffer.from('abc'));
    input.fail(new EvyError('BODY_CUT', 'cut'));
    expect(String(await input.read(3))).to.equal('abc');
    for (const act of [
      () => input.read(),
      () => input.read(1),
      () => input.readline(),
      () => input.readlines(),
      () => input.discard(),
    ]) {
      expect(await codeOf(act())).to.equal('BODY_CUT');
    }
  });

  it('rejects a read of the whole when the body is cut short meanwhile', async () => {
    const input = newInput(new Source(), true, false);
    const reading = codeOf(input.read());
    input.deliver(Buffer.from('abc'));
    input.fail(new EvyError('BODY_TIMEOUT', 'late'));
    input.fail(new EvyError('BODY_CUT', 'the first reason counts'));
    expect(await reading).to.equal('BODY_TIMEOUT');
  });

  it('stays whole when the connection fails after its end', async () => {
    const input = inputOf('abc');
    input.fail(new EvyError('BODY_CUT', 'cut'));
    expect(String(await input.read())).to.equal('abc');
  });

  it('sends 100 Continue at the first read, once, with the headers that were set', async () => {
    const source = new Source();
    const input = newInput(source, true, true);
    input.setHundredContinueResponseHeaders([['A', 'b']]);
    expect(input.owesContinue).to.equal(true);
    const reading = input.read(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(source.continues).to.deep.equal([[['A', 'b']]]);
    expect(input.owesContinue).to.equal(false);
    input.deliver(Buffer.from('x'));
    await reading;
    input.finish();
    await input.read();
    expect(source.continues).to.have.lengthOf(1);
  });

  it('does not send 100 Continue for a body that came along with the head', async () => {
    const source = new Source();
    const input = newInput(source, true, true);
    const reading = input.read();
    input.deliver(Buffer.from('abc'));
    input.finish();
    expect(String(await reading)).to.equal('abc');
    expect(source.continues).to.deep.equal([]);
    expect(input.owesContinue).to.equal(false);
  });

  it('sends 100 Continue as often as the application asks, when the client asked for it', () => {
    const source = new Source();
    const input = newInput(source, true, true);
    for (const name of ['One', 'Two']) {
      input.setHundredContinueResponseHeaders([[name, '1']]);
      input.sendHundredContinueResponse();
    }
    expect(source.continues).to.deep.equal([[['One', '1']], [['Two', '1']]]);
    newInput(source, true, false).sendHundredContinueResponse();
    expect(source.continues).to.have.lengthOf(2);
  });
});
