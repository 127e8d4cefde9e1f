import { expect } from 'chai';
import { LostRequests } from '../../../src/master/workers/lost-requests.ts';
import type { EndReason, WorkerHandle } from '../../../src/master/workers/worker.ts';
import type { MasterToWorker, RequestUnderWay } from '../../../src/shared/protocol/messages.ts';
import { recordingLogger } from '../helpers/fake-crew.ts';

const lost: RequestUnderWay[] = [
  { method: 'GET', target: '/a', peer: '::1', ageMs: 300, line: 'a\n' },
  { method: 'GET', target: '/b', peer: '::1', ageMs: 290 },
];

function scene(generations: number[]) {
  const logger = recordingLogger();
  const crashes: string[][] = [];
  let takes = true;
  const given: Array<[generation: number, lines: string[]]> = [];
  const open = generations.map((number) => ({
    generation: { number },
    send(message: MasterToWorker, _handle: undefined, done: (error: Error | null) => void) {
      if (takes) given.push([number, (message as { lines: string[] }).lines]);
      done(takes ? null : new Error('the channel is closed'));
    },
  }));
  const requests = new LostRequests({
    logger,
    noteCrash: (_generation, those) => void crashes.push(those.map(({ target }) => target)),
    open: () => open as unknown as WorkerHandle[],
  });
  const die = (signal: NodeJS.Signals | null, endReason?: EndReason, unaccounted = lost) => {
    const worker = {
      id: 1,
      pid: 7,
      generation: { number: 2 },
      endReason,
      record: { unaccounted },
    } as unknown as WorkerHandle;
    requests.gone(worker, { code: signal === null ? 0 : null, signal });
  };
  return { logger, crashes, given, die, requests, take: (does: boolean) => (takes = does) };
}

describe('requests of a worker that died without a word', () => {
  it('are told of, and their lines go to a worker of the same generation', () => {
    const { die, logger, given } = scene([1, 2]);
    die('SIGKILL');
    const { line, ...first } = lost[0]!;
    const who = { worker: 1, pid: 7, generation: 2 };
    expect(logger.lines).to.deep.equal([
      { level: 'warn', event: 'request.cut', fields: { ...who, ...first } },
      { level: 'warn', event: 'request.cut', fields: { ...who, ...lost[1] } },
    ]);
    expect(given).to.deep.equal([[2, [line]]]);
  });

  it('count for quarantine when it died of a fault or could not be read, and not when it was killed', () => {
    const { die, crashes } = scene([]);
    for (const signal of ['SIGKILL', 'SIGTERM', null] as const) die(signal);
    die('SIGKILL', 'retired');
    expect(crashes).to.deep.equal([]);
    die('SIGKILL', 'stuck');
    for (const signal of ['SIGABRT', 'SIGSEGV', 'SIGTRAP'] as const) die(signal);
    expect(crashes).to.deep.equal([1, 2, 3, 4].map(() => ['/a', '/b']));
  });

  it('wait for the next worker, of whatever generation, and at the end it is said that nobody came', () => {
    const { die, requests, given, logger, take } = scene([3]);
    take(false);
    die('SIGKILL');
    expect(given).to.deep.equal([]);
    take(true);
    for (let times = 0; times < 2; times += 1) requests.give(2);
    expect(given).to.deep.equal([[3, ['a\n']]]);
    requests.end();
    expect(logger.lines).to.have.length(2);
    take(false);
    die('SIGKILL');
    requests.end();
    expect(logger.lines.at(-1)).to.deep.equal({
      level: 'error',
      event: 'access-log.lost',
      fields: { droppedLines: 1 },
    });
  });
});
