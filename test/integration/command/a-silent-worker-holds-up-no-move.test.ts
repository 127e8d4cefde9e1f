import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import type { RawClient } from '../../helpers/raw-client.ts';
import { header } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { beIdle, crewOf, echo, onTwo, serve } from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const inAll = 300;
/** what each of two old workers may have sent to one that does not answer, before it is passed over */
const mostUnderWay = 2 * 8;
const socketsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

/** How many answers there are from each process, as they come. */
function askEach(clients: readonly RawClient[]): { answers: string[]; all: Promise<unknown> } {
  const answers: string[] = [];
  const one = async (client: RawClient) => {
    const response = await client.request(get);
    expect(header(response, 'Connection')).to.equal(undefined);
    answers.push(header(response, 'X-Pid')!);
  };
  return { answers, all: Promise.all(clients.map(one)) };
}

describe('a new worker that is stopped in the middle of a reload', () => {
  it('keeps what it got, and all others move to the one that serves', async function () {
    const evy = await serve([...onTwo, '--grace', '6s', '--stuck-timeout', '0', echo]);
    const clients: RawClient[] = [];
    while (clients.length < inAll) {
      const some = Array.from({ length: 50 }, () => beIdle({ port: evy.port }));
      clients.push(...(await Promise.all(some)));
    }
    const old = await crewOf(evy, [1, 1]);
    const others = (await socketsOf(old[0]!.pid)) + (await socketsOf(old[1]!.pid)) - inAll;
    evy.signal('SIGHUP');
    const silent = Number((await evy.until('worker.ready', { times: 3 })).pid);
    const hasSome = async () => (await socketsOf(silent)) > others / 2;
    await waitFor('connections at the new worker', hasSome, { everyMs: 1 });
    process.kill(silent, 'SIGSTOP');
    const held = (await socketsOf(silent)) - others / 2;
    const fresh = Number((await evy.until('worker.ready', { times: 4 })).pid);
    for (const { pid } of old) {
      const exit = await evy.until('worker.exit', { where: (line) => line.pid === pid });
      expect(exit).to.include({ code: 0 });
    }
    expect(await evy.until('reload.done')).to.include({ drained: 0, closed: 0, cut: 0 });
    expect(clients.filter(({ ending }) => ending !== undefined)).to.have.lengthOf(0);
    const { answers, all } = askEach(clients);
    await waitFor('answers', () => answers.length >= inAll - held - mostUnderWay);
    expect(new Set(answers)).to.deep.equal(new Set([String(fresh)]));
    // What was offered to it waits in its channel, though the workers that sent it are gone.
    process.kill(silent, 'SIGCONT');
    await all;
    expect(answers).to.have.lengthOf(inAll);
    expect(new Set(answers)).to.deep.equal(new Set([String(fresh), String(silent)]));
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
