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
  /** connections that ended without having been announced */
  closed: number;
  announced: number;
  /** times that a connection was answered by another process than before */
  moved: number;
  examples: string[];
}

interface Question {
  bytes: string;
  answer: string;
}

const pauseMs = 15;
const settleWithinMs = 15_000;
const most = 4; // requests under way on a connection
let lastConnection = 0;

class HammerConnection {
  readonly #id = (lastConnection += 1);
  readonly #socket: Socket;
  readonly #result: HammerResult;
  readonly #reader = new ResponseReader();
  #taken = 0;
  #sequence = 0;
  #expected: Question[] = [];
  #pid: string | undefined;
  #isAnnounced = false;
  isOver = false;

  constructor(target: HammerTarget, result: HammerResult) {
    this.#result = result;
    const where = target.path === undefined ? { port: target.port ?? 0, host: '127.0.0.1' } : { path: target.path };
    const transport = connect({ ...where, noDelay: true });
    this.#socket = target.tls === undefined ? transport : connectTls({ ...target.tls, socket: transport });
    onEnd(() => transport.destroy());
    onEnd(() => this.#socket.destroy());
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', (error) => this.#note(`connection ${this.#id}: ${error.message}`));
    this.#socket.on('close', () => this.#end());
  }

  get isIdle(): boolean {
    return this.#expected.length === 0;
  }

  /** Sends something, in one of the ways, unless enough is under way. */
  async send(): Promise<void> {
    if (this.#expected.length >= most || this.isOver) return;
    const way = Math.random();
    const count = way < 0.25 ? 1 + Math.floor(Math.random() * 3) : 1;
    const questions = Array.from({ length: count }, () => this.#question());
    const bytes = questions.map((one) => one.bytes).join('');
    this.#expected.push(...questions);
    this.#result.sent += count;
    if (way < 0.25 || way > 0.6) {
      this.#socket.write(bytes, 'latin1');
      return;
    }
    const cut = 1 + Math.floor(Math.random() * (bytes.length - 1));
    this.#socket.write(bytes.slice(0, cut), 'latin1');
    await sleep(Math.random() * 8);
    if (!this.isOver) this.#socket.write(bytes.slice(cut), 'latin1');
  }

  end(): void {
    this.isOver = true;
    this.#socket.destroy();
  }

  #question(): Question {
    this.#sequence += 1;
    const path = `/${this.#id}/${this.#sequence}`;
    if (Math.random() > 0.2) return { bytes: `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`, answer: `GET ${path} ` };
    const body = 'b'.repeat(1 + Math.floor(Math.random() * 300));
    const answer = `POST ${path} ${body}`;
    const head = `POST ${path} HTTP/1.1\r\nHost: test\r\n`;
    if (Math.random() > 0.5) return { bytes: `${head}Content-Length: ${body.length}\r\n\r\n${body}`, answer };
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return { bytes: `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`, answer };
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#result.wrong += 1;
      this.#note(`connection ${this.#id}: ${(error as Error).message}`);
    }
    for (const response of this.#reader.responses.slice(this.#taken)) this.#check(response);
    this.#taken = this.#reader.responses.length;
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
    this.#result.closed += 1;
    this.#result.lost += this.#expected.length;
    this.#note(`connection ${this.#id} was closed with ${this.#expected.length} requests under way`);
  }

  #note(what: string): void {
    if (this.#result.examples.length < 10) this.#result.examples.push(what);
  }
}

export interface Hammer {
  readonly result: HammerResult;
  /** Lets every connection get its answers. */
  stop(): Promise<HammerResult>;
}

/** Starts so many connections; one whose end was announced, or that broke, is followed by another one. */
export function hammer(target: HammerTarget, count: number): Hammer {
  const result: HammerResult = {
    sent: 0,
    answered: 0,
    wrong: 0,
    lost: 0,
    closed: 0,
    announced: 0,
    moved: 0,
    examples: [],
  };
  const stopping = new AbortController();
  onEnd(() => stopping.abort());
  const run = async (): Promise<void> => {
    let connection = new HammerConnection(target, result);
    while (!stopping.signal.aborted) {
      if (connection.isOver) connection = new HammerConnection(target, result);
      await connection.send();
      await sleep(Math.random() * 2 * pauseMs);
    }
    const deadlineMs = performance.now() + settleWithinMs;
    while (!connection.isIdle && !connection.isOver && performance.now() < deadlineMs) await sleep(5);
    if (!connection.isIdle && !connection.isOver) {
      result.lost += 1;
      result.examples.push('requests without an answer at the end');
    }
    connection.end();
  };
  const all = Array.from({ length: count }, run);
  return {
    result,
    stop: async () => {
      stopping.abort();
      await Promise.all(all);
      return result;
    },
  };
}
