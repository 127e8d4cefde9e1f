import { expect } from 'chai';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { answerOf, application, ask, crewOf, onTwo, serve } from './serving.ts';

const query = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const app = [...onTwo, '--stuck-timeout', '30s', application('sends-what-it-is-told')];

/** Asks for what costs a worker its life; resolves when its place is filled again and the other one has not changed. */
async function expectOneFault(evy: EvyProcess, path: string, message: RegExp): Promise<void> {
  const before = await crewOf(evy, [1, 1]);
  const times = evy.seen('worker.faulty').length + 1;
  await ask({ port: evy.port }, path).catch(() => {}); // it may not live to answer
  const { pid, ...line } = await evy.until('worker.faulty', { times });
  expect(line).to.include({ level: 'error' });
  expect(line.message).to.match(message);
  expect(line.stack).to.be.a('string');
  await evy.until('worker.exit', { where: (exit) => exit.pid === pid && exit.signal === 'SIGKILL' });
  const after = await crewOf(evy, [1, 1]);
  const others = before.filter((worker) => worker.pid !== pid);
  expect(others).to.have.length(1);
  expect(after).to.deep.include(others[0]);
}

describe('what an application sends to its master', () => {
  it('does not leave the worker when it is Node’s or evy’s own to send, and the log says so once', async () => {
    const evy = await serve(app);
    const before = await crewOf(evy, [1, 1]);
    for (const message of [
      { cmd: 'NODE_HANDLE' },
      { cmd: 'NODE_HANDLE_ACK' },
      { cmd: 'NODE_HANDLE_NACK' },
      ...['online', 'queryServer', 'listening', 'suicide', 'exitedAfterDisconnect', 'close', 'disconnect'].map(
        (act) => ({ cmd: 'NODE_CLUSTER', act }),
      ),
      { cmd: 'NODE_CLUSTER', act: 'queryServer', seq: 1, index: 0, port: 0, addressType: 4 },
    ])
      expect(await answerOf({ port: evy.port }, `/send?${query(message)}`)).to.match(
        new RegExp(`^\\{ cmd: '${message.cmd}' \\} was not sent: .*reserved by Node`),
      );
    expect(await answerOf({ port: evy.port }, `/send?${query({ evy: { type: 'ready' } })}`)).to.include(
      'reserved by evy',
    );
    await ask({ port: evy.port }, '/socket');
    for (const message of ['a text', { cmd: 'mine' }, [1], 7])
      expect(await answerOf({ port: evy.port }, `/send?${query(message)}`)).to.equal('sent');
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    const lines = evy.seen('worker.send-refused');
    for (const { pid } of before) {
      const told = lines.filter((line) => line.pid === pid).map(({ message }) => String(message));
      expect(told).to.have.length.within(1, 3);
      expect(new Set(told.map((message) => message.split(': ').at(-1))).size).to.equal(told.length);
    }
    expect(lines[0]).to.include({ level: 'warn' });
    expect(lines[0]!.message).to.equal(
      "the application called process.send() with { cmd: 'NODE_HANDLE' }, which was not sent: a cmd that begins with NODE_ is reserved by Node.js",
    );
    expect(evy.seen('master.failed')).to.deep.equal([]);
  });

  it('costs that worker at most when it gets to the master all the same', async function () {
    this.timeout(60_000);
    const evy = await serve(app);
    for (const [message, why] of [
      [{ cmd: 'NODE_HANDLE_ACK' }, /ERR_INTERNAL_ASSERTION|internal error|Assertion|nodejs/i],
      [{ cmd: 'NODE_CLUSTER', act: 'queryServer' }, /NODE_CLUSTER message that Node does not send/],
      [{ evy: { type: 'synced', upTo: 1, here: 5 } }, /message of type 'synced'/],
      // In order but for the moment at which it comes.
      [{ evy: { type: 'ready', interface: 'wsgi', isGuess: false } }, /no input 'ready' in state 'ready'/],
    ] as const)
      await expectOneFault(evy, `/raw?${query(message)}`, why);
    await expectOneFault(evy, `/raw?${encodeURIComponent('no JSON')}`, /JSON/);
    await expectOneFault(evy, `/watchdog?${query({ evy: { type: 'stuck' } })}`, /message of type 'stuck'/);
    expect(await answerOf({ port: evy.port })).to.equal('sent');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(evy.seen('master.failed')).to.deep.equal([]);
  });

  it('may be a wish for a port of its own, but not for a descriptor by its number', async () => {
    const evy = await serve(app);
    const before = await crewOf(evy, [1, 1]);
    expect(await answerOf({ port: evy.port }, `/listen?${query({ port: 0, host: '127.0.0.1' })}`)).to.equal(
      'listening',
    );
    for (let fd = 3; fd < 12; fd += 1)
      expect(await answerOf({ port: evy.port }, `/listen?${query({ fd })}`), String(fd)).to.equal('EBADF');
    expect(text(await ask({ port: evy.port }))).to.equal('sent');
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
