/** One connection of a load: connects, sends a request, checks the response, and again, until it is told to stop. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { LoadCounts, LoadOptions } from './load-counts.ts';
import { announcesClose, header, ResponseReader, text, type RawResponse } from './response-reader.ts';

/** After a refused or failed connection, so that a server that is away is not hammered. */
const retryPauseMs = 5;
let lastId = 0;

/** How a connection's life ended, when it was not by the server's announcement. */
interface Life {
  socket: Socket;
  reader: ResponseReader;
  /** called when the life has changed: bytes came, or it is over */
  wake: () => void;
  over: 'fin' | 'error' | undefined;
  error: NodeJS.ErrnoException | undefined;
}

export class LoadConnection {
  readonly #options: LoadOptions;
  readonly #counts: LoadCounts;
  readonly #keeps: boolean;
  readonly #finished: Promise<void>;
  readonly #stopping = new AbortController();

  constructor(options: LoadOptions, counts: LoadCounts, keeps: boolean) {
    this.#options = options;
    this.#counts = counts;
    this.#keeps = keeps;
    this.#finished = this.#run();
  }

  /** Resolves when the request under way, if any, is over. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#finished;
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const life = await this.#connect();
      if (life) {
        await this.#use(life);
        life.socket.destroy();
      } else await this.#pause(retryPauseMs);
    }
  }

  #connect(): Promise<Life | undefined> {
    return new Promise((resolve) => {
      const { port, host = '127.0.0.1', tls = false } = this.#options;
      const where = { port, host, noDelay: true };
      const socket = tls ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
      let isMade = false;
      const life: Life = { socket, reader: new ResponseReader(), wake: () => {}, over: undefined, error: undefined };
      const end = (over: 'fin' | 'error') => {
        life.over ??= over;
        if (over === 'fin') life.reader.end();
        life.wake();
      };
      socket.on(tls ? 'secureConnect' : 'connect', () => {
        isMade = true;
        this.#counts.add('connects');
        resolve(life);
      });
      socket.on('data', (bytes) => {
        try {
          life.reader.push(bytes);
        } catch (error) {
          this.#counts.addTrouble('wrong', (error as Error).message);
          socket.destroy();
        }
        life.wake();
      });
      socket.on('end', () => end('fin'));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        life.error = error;
        // Whatever the reason: a user would have got no connection.
        if (!isMade) this.#counts.addTrouble('refused', error.message);
        end('error');
        resolve(undefined);
      });
      socket.on('close', () => end('error'));
    });
  }

  async #use(life: Life): Promise<void> {
    for (;;) {
      if (life.over) return this.#counts.addTrouble('closedIdle', life.error?.message ?? life.over);
      const response = await this.#request(life);
      if (!response) return;
      const announced = announcesClose(response);
      if (announced && this.#keeps) this.#counts.add('announcedClose');
      if (announced || !this.#keeps || this.#isStopping) return;
      await this.#pause(Math.random() * 2 * (this.#options.paceMs ?? 5), life);
      if (this.#isStopping && !life.over) return;
    }
  }

  /** A pause that ends early when there is nothing left to pause for. */
  async #pause(ms: number, life?: Life): Promise<void> {
    if (ms === 0) return;
    const awake = new AbortController();
    if (life) life.wake = () => life.over && awake.abort();
    const signal = AbortSignal.any([awake.signal, this.#stopping.signal]);
    await sleep(ms, undefined, { signal }).catch(() => {});
  }

  /** Sends a request; resolves with its whole response, or undefined once the failure is counted. */
  async #request(life: Life): Promise<RawResponse | undefined> {
    const id = `${process.pid}-${(lastId += 1)}`;
    const { host = '127.0.0.1', method = 'GET', path = '/', answerWithinMs = 30_000 } = this.#options;
    const body = method === 'POST' ? 'Content-Length: 0\r\n' : '';
    const close = this.#keeps ? '' : 'Connection: close\r\n';
    const started = performance.now();
    const before = life.reader.responses.length;
    life.socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Load-Id: ${id}\r\n${body}${close}\r\n`);
    const answered = await this.#answer(life, answerWithinMs);
    const response = life.reader.responses[before];
    if (response) {
      life.reader.responses.length = 0;
      this.#counts.addLatency(performance.now() - started);
      this.#check(response, id);
      return response;
    }
    const received = `${life.reader.rest.length} bytes of a response`;
    if (!answered) this.#counts.addTrouble('unanswered', `nothing whole within ${answerWithinMs} ms`);
    else if (life.over === 'fin') this.#counts.addTrouble('cut', received);
    else this.#counts.addTrouble('reset', `${life.error?.message ?? 'closed'} after ${received}`);
    return undefined;
  }

  /** Whether a response, or the end of the connection, came in time. */
  #answer(life: Life, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      life.wake = () => {
        if (life.reader.responses.length === 0 && !life.over) return;
        clearTimeout(timer);
        resolve(true);
      };
      life.wake();
    });
  }

  #check(response: RawResponse, id: string): void {
    const { expect, countHeader } = this.#options;
    const wanted = expect === 'echo-id' ? id : expect?.text;
    const value = countHeader && header(response, countHeader);
    if (value) this.#counts.addSeen(value);
    if (response.status !== 200) this.#counts.addTrouble('non200', `${response.status} ${response.reason}`);
    else if (wanted !== undefined && text(response) !== wanted) {
      this.#counts.addTrouble(
        'wrong',
        `${JSON.stringify(text(response).slice(0, 80))} instead of ${JSON.stringify(wanted)}`,
      );
    } else this.#counts.add('ok');
  }
}
