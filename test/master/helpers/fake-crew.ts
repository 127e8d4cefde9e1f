/** A real master with workers that do as a file says (test/fixtures/workers/fake.mjs), and the record of what it tells. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Master } from '../../../src/master/master.ts';
import type { MasterParts } from '../../../src/master/master.ts';
import type { MasterEvents } from '../../../src/master/outcomes/events.ts';
import type { LogEvent, LogFields, Logger, LogLevel } from '../../../src/shared/log/log.ts';
import type { WorkerStats } from '../../../src/shared/protocol/messages.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import type { OptionsInput } from '../../../src/shared/options/table.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { fixture, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export interface Behaviour {
  /** what a boot comes to; 'die' ends right after being ready */
  boot?: 'ready' | 'fail' | 'crash' | 'exit' | 'hang' | 'die';
  /** this many boots are fine before that */
  goodBoots?: number;
  /** 'last-only' waits until idle connections are to be closed as well */
  drain?: 'exit' | 'overdue' | 'ignore' | 'last-only';
  /** what differs in the counts that a worker reports once it is ready */
  stats?: Partial<WorkerStats>;
  /** file that gets a dot for each reopen-logs */
  reopened?: string;
}

export interface Line {
  level: LogLevel;
  event: LogEvent;
  fields: LogFields;
}

export interface RecordingLogger extends Logger {
  lines: Line[];
  reopened: number;
}

export function recordingLogger(): RecordingLogger {
  const lines: Line[] = [];
  const write =
    (level: LogLevel) =>
    (event: LogEvent, fields: LogFields = {}) =>
      void lines.push({ level, event, fields });
  return {
    lines,
    reopened: 0,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    reopen() {
      this.reopened += 1;
    },
  };
}

const names: ReadonlyArray<keyof MasterEvents> = [
  'ready',
  'worker:spawned',
  'worker:ready',
  'worker:standby',
  'worker:resumed',
  'worker:retiring',
  'worker:exit',
  'reload:started',
  'reload:live',
  'reload:done',
  'reload:failed',
  'scale',
  'scale:done',
  'scale:failed',
  'progress',
  'stopping',
  'stopped',
];

export interface FakeCrew {
  master: Master;
  folder: string;
  app: string;
  logger: RecordingLogger;
  /** everything emitted, in order */
  events: Array<[name: keyof MasterEvents, ...values: unknown[]]>;
  /** what workers do that boot from now on */
  behave(behaviour: Behaviour): void;
  lines(event: LogEvent): LogFields[];
  /** waits until that many of an event have been emitted */
  until(name: keyof MasterEvents, times?: number): Promise<unknown>;
  /** waits until exactly these workers are ready and no other is left */
  settled(workers: number, generation: number): Promise<void>;
  /** the answer of a worker: [generation, pid] */
  ask(): Promise<number[]>;
  pids(): number[];
}

export async function fakeCrew(
  behaviour: Behaviour = {},
  input: OptionsInput = {},
  parts: Partial<MasterParts> = {},
): Promise<FakeCrew> {
  const folder = await tempFolder();
  const app = join(folder, 'app.json');
  const behave = (next: Behaviour) => {
    writeFileSync(app, JSON.stringify(next));
    writeFileSync(`${app}.boots`, '');
  };
  behave(behaviour);
  const logger = recordingLogger();
  const where: OptionsInput = input.bind === undefined ? { port: 0 } : {};
  const options = resolveInput({ app, workers: 2, ...where, ...input }, folder);
  // The fake worker is plain JavaScript: without the tests' TypeScript loader it boots in a tenth of the time.
  const { execArgv } = process;
  process.execArgv = [];
  onEnd(() => {
    process.execArgv = execArgv;
  });
  const master = new Master({ options, logger, workerEntry: fixture('workers', 'fake.mjs'), ...parts });
  onEnd(async () => {
    await master.stopNow();
    // An illegal move or the like is only logged: a test must not overlook it.
    const faults = logger.lines.filter(({ event }) => event === 'master.failed' || event === 'worker.faulty');
    if (faults.length > 0) throw new Error(`the master or a worker failed: ${JSON.stringify(faults)}`);
  });
  const events: FakeCrew['events'] = [];
  for (const name of names) master.on(name, (...values: unknown[]) => void events.push([name, ...values]));
  const workers = () => master.status().workers;
  return {
    master,
    folder,
    app,
    logger,
    events,
    behave,
    lines: (event) => logger.lines.filter((line) => line.event === event).map(({ fields }) => fields),
    until: (name, times = 1) =>
      waitFor(`${name} x ${times}`, () => events.filter(([one]) => one === name).length >= times),
    settled: async (count, generation) => {
      const fits = () =>
        workers().length === count && workers().every((one) => one.state === 'ready' && one.generation === generation);
      await waitFor(`${count} ready workers of generation ${generation}`, fits).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(master.status())}`, { cause: error });
      });
    },
    ask: () => askAt(master.status().addresses[0]!),
    pids: () => workers().map(({ pid }) => pid!),
  };
}

/** Connects, reads the worker's line to its end. */
export function askAt(address: { port?: number; host?: string; path?: string }): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const { port, host, path } = address;
    const socket = path === undefined ? connect(port!, host) : connect(path);
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', reject);
    socket.on('end', () => resolve(text.trim().split(' ').map(Number)));
  });
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; exitCode?: number }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not rejected');
}
