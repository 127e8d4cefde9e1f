/**
 * Runs the built command as a user would and reads its log lines. A test waits for facts in them (`until`), sends real
 * signals, and leaves the ending to `reapAll`, which runs after each test.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseAddress, urlOf, type Address } from './addresses.ts';
import { builtCommand, projectRoot } from './files.ts';
import { LogReader, type LogLine, type Where } from './log-reader.ts';
import { commandVariable, processesWith, sendSignal } from './processes.ts';
import { waitFor, withDeadline } from './wait-for.ts';

export interface RunOptions {
  /** added to the environment; undefined takes a variable away */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** the Node binary; EVY_TEST_NODE and then this process's own by default */
  node?: string;
  /** flags for Node itself, in front of the command */
  nodeArgs?: readonly string[];
  /** descriptors of this process that it inherits, as 3, 4, ... */
  inherit?: readonly number[];
  /** its standard output, which is not read then; a pipe that is read by default */
  stdout?: number;
  /** its standard error, which is not read then; a pipe whose lines are read by default */
  stderr?: number;
  /** another program than the built command, such as an example; it gets no --log-style */
  program?: string;
  /** 'json' by default, so that `until` can read the lines; false leaves the flag away */
  logStyle?: string | false;
}

export interface UntilOptions {
  /** how many such lines, counted from the start of the output */
  times?: number;
  where?: Where;
  withinMs?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** After the process itself has ended, others may hold its output open; what is already in the pipe comes within this. */
const lastOutputMs = 1_500;
const defaultDeadlineMs = 40_000;
let counter = 0;

/** The developer's own settings must not decide what a test sees. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(PORT|WEB_CONCURRENCY|NOTIFY_SOCKET|LISTEN_.*|NODE_OPTIONS|NODE_ENV|FORCE_COLOR|NO_COLOR|EVY_(?!TEST_).*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

export class EvyProcess {
  readonly pid: number;
  /** Settles when the process has ended and its output has been read. */
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log = new LogReader();
  readonly #id = `${process.pid}-${(counter += 1)}`;
  #ended: Exit | undefined;

  constructor(args: readonly string[], options: RunOptions = {}) {
    const node = options.node ?? process.env.EVY_TEST_NODE ?? process.execPath;
    const { program = builtCommand, logStyle = program === builtCommand ? 'json' : false } = options;
    const style = logStyle === false ? [] : ['--log-style', logStyle];
    this.#child = spawn(node, [...(options.nodeArgs ?? []), program, ...args, ...style], {
      cwd: options.cwd ?? projectRoot,
      env: { ...cleanEnvironment(), ...options.env, [commandVariable]: this.#id },
      stdio: ['ignore', options.stdout ?? 'pipe', options.stderr ?? 'pipe', ...(options.inherit ?? [])],
      detached: true, // a process group of its own, which can be ended whole
    });
    this.pid = this.#child.pid ?? -1;
    if (this.#child.stdout !== null) this.#log.read('stdout', this.#child.stdout);
    if (this.#child.stderr !== null) this.#log.read('stderr', this.#child.stderr);
    this.exit = this.#watchExit();
    this.exit.catch(() => {}); // a command that cannot be started shows in `until` and in whoever awaits `exit`
  }

  async #watchExit(): Promise<Exit> {
    const closed = once(this.#child, 'close').then(() => this.#log.end());
    closed.catch(() => {});
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
    this.#ended = { code, signal };
    await withDeadline('end of output', closed, lastOutputMs).catch(() => {});
    return this.#ended;
  }

  /** Waits for a log line; rejects at the deadline, or when no further line can come, with all output so far. */
  async until(event: string, { times = 1, where, withinMs = defaultDeadlineMs }: UntilOptions = {}): Promise<LogLine> {
    const what = `${times > 1 ? `${times} times ` : ''}'${event}'`;
    const line = await withDeadline(what, this.#log.next(event, times, where), withinMs, () => this.#context());
    if (line === undefined) throw new Error(`the command ended before ${what}${this.#context()}`);
    return line;
  }

  #context(): string {
    const state = this.#ended ? `ended with ${this.#ended.code ?? this.#ended.signal}` : 'running';
    return `\nprocess ${this.pid} (${state}); its output:\n${this.output()}`;
  }

  /** The lines of an event so far. */
  seen(event: string, where?: Where): LogLine[] {
    return this.#log.seen(event, where);
  }

  /** Everything written so far: stdout and stderr as they came, or one of them. */
  output(stream?: 'stdout' | 'stderr'): string {
    return this.#log.text(stream);
  }

  /** Where it listens, once `master.ready` was seen. */
  get addresses(): Address[] {
    const [ready] = this.seen('master.ready');
    if (!ready) throw new Error(`'master.ready' was not seen yet${this.#context()}`);
    return (ready.addresses as string[]).map(parseAddress);
  }
  get port(): number {
    const address = this.addresses.find(({ port }) => port !== undefined);
    if (address?.port === undefined) throw new Error('no TCP address');
    return address.port;
  }
  get url(): string {
    return urlOf(this.addresses.find(({ port }) => port !== undefined) ?? { tls: false });
  }

  get isRunning(): boolean {
    return this.#ended === undefined;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Sends TERM (or another signal) and waits for the end. */
  async stop(name: NodeJS.Signals = 'SIGTERM', withinMs = defaultDeadlineMs): Promise<Exit> {
    this.signal(name);
    return withDeadline(`the end after ${name}`, this.exit, withinMs, () => this.#context());
  }

  /**
   * Ends what is left. A command that still runs is simply killed with its group. One that has ended must not have left
   * any process behind: these are killed too, and returned.
   */
  async reap(endWithinMs = 10_000): Promise<string[]> {
    if (this.isRunning) {
      this.kill();
      await this.exit;
    }
    const left = () => processesWith(commandVariable, this.#id);
    try {
      await waitFor('all gone', async () => (await left()).length === 0, { withinMs: endWithinMs });
      return [];
    } catch {
      const survivors = await left();
      for (const { pid } of survivors) sendSignal(pid, 'SIGKILL');
      return survivors.map(({ pid, command }) => `process ${pid} (${command})`);
    } finally {
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }
  }

  /** Kills the whole process group at once. */
  kill(): void {
    if (this.pid > 0) sendSignal(-this.pid, 'SIGKILL');
  }
}

const started = new Set<EvyProcess>();
// Not even an interrupted test run leaves servers behind.
process.on('exit', () => started.forEach((evy) => evy.kill()));

/** Starts the command. `runEvy(['serve', 'app.ts', '--port', '0'])`. */
export function runEvy(args: readonly string[], options: RunOptions = {}): EvyProcess {
  const evy = new EvyProcess(args, options);
  started.add(evy);
  return evy;
}

/** Ends every command that was started and returns what outlived its command. */
export async function reapAll(): Promise<string[]> {
  const all = [...started];
  started.clear();
  return (await Promise.all(all.map((evy) => evy.reap()))).flat();
}
