import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { BoundedLines, WatchLine } from '../../../src/master/workers/watch-line.ts';
import type { Fault, WatchNews } from '../../../src/master/workers/watch-line.ts';
import { enclose } from '../../../src/shared/protocol/messages.ts';
import type { WatchdogToMaster } from '../../../src/shared/protocol/messages.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { fakeTime } from '../../worker/helpers/fake-time.ts';

const stuckMs = 30_000;
const report = { requests: [] };
const lines = (...messages: WatchdogToMaster[]) =>
  messages.map((message) => `${JSON.stringify(enclose(message))}\n`).join('');

function listen() {
  const time = fakeTime();
  const source = new PassThrough();
  const news: Array<WatchNews | Fault> = [];
  const line = new WatchLine(source, stuckMs, (one) => one.type !== 'watched' && news.push(one));
  const hear = async (text: string) => {
    await new Promise<void>((resolve) => source.write(text, () => resolve()));
    await waitFor('the line read', () => source.readableLength === 0);
  };
  const run = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      time.pass(1_000);
      time.tick();
    }
  };
  return { time, source, news, line, hear, run, types: () => news.map(({ type }) => type) };
}

describe('the line from a watchdog', () => {
  it('hands on what is said, in whatever pieces it comes', async () => {
    const { hear, news } = listen();
    const busy: WatchdogToMaster = { type: 'busy', blockedMs: 10_000, report };
    const text = lines({ type: 'alive' }, busy, { type: 'alive' });
    for (const piece of text.match(/[^]{1,7}/g)!) await hear(piece);
    expect(news).to.deep.equal([busy]);
  });

  it('tells its first word, once', async () => {
    fakeTime();
    const source = new PassThrough();
    const news: string[] = [];
    const line = new WatchLine(source, stuckMs, ({ type }) => news.push(type));
    source.write(lines({ type: 'alive' }, { type: 'alive' }));
    await waitFor('the first word', () => news.length > 0);
    expect(news).to.deep.equal(['watched']);
    line.close();
  });

  it('takes no notice of what is none of its own', async () => {
    const { hear, news } = listen();
    await hear(`\nhello\n{"type":"stuck"}\nnull\n${lines({ type: 'recovered', blockedMs: 1 })}`);
    expect(news).to.deep.equal([{ type: 'recovered', blockedMs: 1 }]);
  });

  it('takes what only looks like its own for a fault, and nothing after it', async () => {
    for (const forged of ['{"evy":{"type":"ready"}}', '{"evy":7}', '{"evy":{"type":"stuck","blockedMs":1}}']) {
      const { hear, types, source } = listen();
      await hear(`${forged}\n${lines({ type: 'recovered', blockedMs: 1 })}`);
      await waitFor('the end of the line', () => source.destroyed);
      expect(types()).to.deep.equal(['fault']);
    }
  });

  it('does not hand on that a worker is stuck which has recovered since', async () => {
    const { hear, types } = listen();
    const stuck: WatchdogToMaster = { type: 'stuck', blockedMs: 30_000, report };
    await hear(lines(stuck, { type: 'alive' }, { type: 'recovered', blockedMs: 40_000 }));
    expect(types()).to.deep.equal(['recovered']);
    await hear(lines({ type: 'recovered', blockedMs: 40_000 }, stuck));
    expect(types()).to.deep.equal(['recovered', 'recovered', 'stuck']);
  });

  it('tells once that it has gone silent, and once that it is heard again', async () => {
    const { hear, run, news } = listen();
    await hear(lines({ type: 'alive' }));
    run(29);
    await hear(lines({ type: 'alive' }));
    run(29);
    expect(news).to.deep.equal([]);
    run(50);
    expect(news).to.deep.equal([{ type: 'silent', quietMs: 30_000 }]);
    await hear(lines({ type: 'alive' }));
    expect(news[1]).to.deep.equal({ type: 'heard', quietMs: 79_000 });
    run(29);
    expect(news).to.have.length(2);
  });

  it('tells of a line that is too long, which is a sign of life all the same', async () => {
    const { hear, run, types } = listen();
    await hear(lines({ type: 'alive' }));
    run(29);
    await hear('x'.repeat((1 << 20) + 1));
    run(29);
    await hear(`x\n${lines({ type: 'recovered', blockedMs: 1 })}`);
    expect(types()).to.deep.equal(['garbled', 'recovered']);
  });

  it('is read to its end when the process has ended', async () => {
    const { source, line, news } = listen();
    source.write(lines({ type: 'stuck', blockedMs: 30_000, report }));
    line.finish();
    await waitFor('its last word', () => news.length === 1);
    source.end();
    await waitFor('its end', () => source.destroyed);
  });

  it('is not silent because the master did not listen', async () => {
    const { hear, run, time, news } = listen();
    await hear(lines({ type: 'alive' }));
    time.pass(3_600_000);
    run(25);
    await hear(lines({ type: 'alive' }));
    expect(news).to.deep.equal([]);
  });

  it('is not silent before its first word, nor after its end', async () => {
    const { hear, run, time, line, news } = listen();
    run(100);
    expect(time.intervals).to.equal(0);
    await hear(lines({ type: 'alive' }));
    line.close();
    run(100);
    expect(news).to.deep.equal([]);
    expect(time.intervals).to.equal(0);
  });
});

describe('lines of bounded length', () => {
  const text = 'one\n\ntwo\nthis one is too long\nthree\nso is this one\nf';

  it('are the same in whatever pieces they come', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const reader = new BoundedLines(8);
      const taken = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!.map((piece) => reader.push(piece));
      expect(taken.flatMap((one) => one.lines)).to.deep.equal(['one', '', 'two', 'three']);
      expect(taken.reduce((sum, { tooLong }) => sum + tooLong, 0)).to.equal(2);
      expect(reader.push('our\n').lines).to.deep.equal(['four']);
    }
  });

  it('are counted as soon as they are too long, once', () => {
    const reader = new BoundedLines(8);
    expect(reader.push('12345678').tooLong).to.equal(0);
    expect(reader.push('9').tooLong).to.equal(1);
    expect(reader.push('9'.repeat(100))).to.deep.equal({ lines: [], tooLong: 0 });
    expect(reader.push('\nend\n')).to.deep.equal({ lines: ['end'], tooLong: 0 });
  });
});
