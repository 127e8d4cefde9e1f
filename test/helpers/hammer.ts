/**
 * Clients that make it hard: keep-alive connections that send requests whole, cut in two, several at once, and with bodies, and
 * check of each response that it is theirs, in order and once. For applications of test/fixtures/apps/hammered-*.mjs.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { onEnd } from './cleanup.ts';
import { announcesClose, header, ResponseReader, text, type RawResponse } from './response-reader.ts';

export interface HammerTarget {
  port?: number;
  path?: string;
  tls?: ConnectionOptions;
}

export interface HammerResult {
  sent: number;
  answered: number;
  /** another answer than the request's: lost, doubled, out of order or damaged */
  wrong: number;
  /** requests without an answer on a connection that ended without having been announced */
  lost: number;
  /** connections that were not made */
  refused: number;
  /** connections that ended without having been announced */
  closed: number;
  announced: number;
  /** times that a connection was answered by another process than before */
  moved: number;
  examples: string[];
}

/** A connection that ended without having been announced: what a client cannot explain. */
export interface UnexplainedEnd {
  /** the client's own port, which names the connection while it lives; 0 when there was none */
  port: number;
  openedAtMs: number;
  endedAtMs: number;
  unanswered: number;
}

export interface HammerOptions {
  /** what decides what is sent and when; Math.random by default */
  random?: () => number;
  /** share of the pauses after which a connection is left for a new one; 0 by default */
  leaving?: number;
  onUnexplainedEnd?: (end: UnexplainedEnd) => void;
}

interface Question {
  bytes: string;
  answer: string;
  askedAtMs: number;
}

const pauseMs = 15;
const settleWithinMs = 30_000;
const most = 4; // requests under way on a connection
let lastConnection = 0;

class HammerConnection {
  readonly #id = (lastConnection += 1);
  readonly #socket: Socket;
  readonly #result: HammerResult;
  readonly #random: () => number;
  readonly #onUnexplainedEnd: HammerOptions['onUnexplainedEnd'];
  readonly #openedAtMs = performance.now();
  readonly #reader = new ResponseReader();
  #sequence = 0;
  #expected: Question[] = [];
  #pid: string | undefined;
  #port: number | undefined;
  #isAnnounced = false;
  isOver = false;

  constructor(target: HammerTarget, result: HammerResult, { random = Math.random, onUnexplainedEnd }: HammerOptions) {
    this.#result = result;
    this.#random = random;
    this.#onUnexplainedEnd = onUnexplainedEnd;
    const where = target.path === undefined ? { port: target.port ?? 0, host: '127.0.0.1' } : { path: target.path };
    const transport = connect({ ...where, noDelay: true });
    transport.on('connect', () => (this.#port = transport.localPort ?? 0));
    this.#socket = target.tls === undefined ? transport : connectTls({ ...target.tls, socket: transport });
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', (error) => this.#note(`connection ${this.#id}: ${error.message}`));
    this.#socket.on('close', () => this.#end());
  }

  get isIdle(): boolean {
    return this.#expected.length === 0;
  }

  /** How long the oldest request has been waiting for its answer. */
  get waitingMs(): number {
    const [oldest] = this.#expected;
    return oldest === undefined || this.isOver ? 0 : performance.now() - oldest.askedAtMs;
  }

  /** Sends something, in one of the ways, unless enough is under way. */
  async send(): Promise<void> {
    if (this.#expected.length >= most || this.isOver) return;
    const way = this.#random();
    const count = way < 0.25 ? 1 + Math.floor(this.#random() * 3) : 1;
    const questions = Array.from({ length: count }, () => this.#question());
    const bytes = questions.map((one) => one.bytes).join('');
    this.#expected.push(...questions);
    this.#result.sent += count;
    if (way < 0.25 || way > 0.6) {
      this.#socket.write(bytes, 'latin1');
      return;
    }
    const cut = 1 + Math.floor(this.#random() * (bytes.length - 1));
    this.#socket.write(bytes.slice(0, cut), 'latin1');
    await sleep(this.#random() * 8);
    if (!this.isOver) this.#socket.write(bytes.slice(cut), 'latin1');
  }

  end(): void {
    this.isOver = true;
    this.#socket.destroy();
  }

  #question(): Question {
    this.#sequence += 1;
    const askedAtMs = performance.now();
    const path = `/${this.#id}/${this.#sequence}`;
    if (this.#random() > 0.2)
      return { bytes: `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`, answer: `GET ${path} `, askedAtMs };
    const body = 'b'.repeat(1 + Math.floor(this.#random() * 300));
    const answer = `POST ${path} ${body}`;
    const head = `POST ${path} HTTP/1.1\r\nHost: test\r\n`;
    if (this.#random() > 0.5)
      return { bytes: `${head}Content-Length: ${body.length}\r\n\r\n${body}`, answer, askedAtMs };
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return { bytes: `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`, answer, askedAtMs };
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#result.wrong += 1;
      this.#note(`connection ${this.#id}: ${(error as Error).message}`);
    }
    for (const response of this.#reader.responses.splice(0)) this.#check(response);
  }

  #check(response: RawResponse): void {
    const question = this.#expected.shift();
    if (response.status !== 200 || text(response) !== question?.answer) {
      this.#result.wrong += 1;
      this.#note(`${response.status} ${JSON.stringify(text(response))} instead of ${JSON.stringify(question?.answer)}`);
    } else this.#result.answered += 1;
    const pid = header(response, 'X-Pid');
    if (this.#pid !== undefined && pid !== this.#pid) this.#result.moved += 1;
    this.#pid = pid;
    if (!announcesClose(response)) return;
    // What was sent behind it is not answered, and the client knows it (RFC 9112 §9.6).
    this.#isAnnounced = true;
    this.#result.announced += 1;
    this.#expected = [];
    this.end();
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#isAnnounced) return;
    const unanswered = this.#expected.length;
    if (this.#port === undefined) this.#result.refused += 1;
    this.#result.closed += 1;
    this.#result.lost += unanswered;
    const endedAtMs = performance.now();
    this.#onUnexplainedEnd?.({ port: this.#port ?? 0, openedAtMs: this.#openedAtMs, endedAtMs, unanswered });
    this.#note(`connection ${this.#id} was closed with ${unanswered} requests under way`);
  }

  #note(what: string): void {
    if (this.#result.examples.length < 10) this.#result.examples.push(what);
  }
}

export interface Hammer {
  readonly result: HammerResult;
  /** How long the oldest request of all has been waiting for its answer. */
  waitingMs(): number;
  /** Lets every connection get its answers. */
  stop(): Promise<HammerResult>;
}

/** Starts so many connections; one whose end was announced, or that broke, is followed by another one. */
export function hammer(target: HammerTarget, count: number, options: HammerOptions = {}): Hammer {
  const { random = Math.random, leaving = 0 } = options;
  const result: HammerResult = {
    sent: 0,
    answered: 0,
    wrong: 0,
    lost: 0,
    refused: 0,
    closed: 0,
    announced: 0,
    moved: 0,
    examples: [],
  };
  const stopping = new AbortController();
  const connections: HammerConnection[] = [];
  const make = (place: number) => (connections[place] = new HammerConnection(target, result, options));
  onEnd(() => {
    stopping.abort();
    for (const connection of connections) connection.end();
  });
  const run = async (place: number): Promise<void> => {
    let connection = make(place);
    while (!stopping.signal.aborted) {
      if (connection.isIdle && random() < leaving) connection.end();
      if (connection.isOver) connection = make(place);
      await connection.send();
      await sleep(random() * 2 * pauseMs);
    }
    const deadlineMs = performance.now() + settleWithinMs;
    while (!connection.isIdle && !connection.isOver && performance.now() < deadlineMs) await sleep(5);
    if (!connection.isIdle && !connection.isOver) {
      result.lost += 1;
      result.examples.push('requests without an answer at the end');
    }
    connection.end();
  };
  const all = Array.from({ length: count }, (_, place) => run(place));
  return {
    result,
    waitingMs: () => Math.max(0, ...connections.map(({ waitingMs }) => waitingMs)),
    stop: async () => {
      stopping.abort();
      await Promise.all(all);
      return result;
    },
  };
}
