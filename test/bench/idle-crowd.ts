/** Many keep-alive connections that had one answer each and now are idle, and what it takes to ask them again. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const answerWithinMs = 60_000;
const connectAtOnce = 200;

class Member {
  readonly #socket: Socket;
  #text = '';
  #answered: (text: string) => void = () => {};
  isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1');
      if (this.#text.endsWith('\r\n\r\necho')) this.#answered(this.#text);
    });
    socket.on('error', () => {});
    socket.on('close', () => (this.isClosed = true));
  }

  /** Milliseconds until the answer, and the process that gave it. */
  async ask(): Promise<{ ms: number; pid: number }> {
    const startedMs = performance.now();
    this.#text = '';
    const answer = new Promise<string>((resolve) => (this.#answered = resolve));
    this.#socket.write(request);
    const text = await Promise.race([answer, sleep(answerWithinMs, '', { ref: false })]);
    if (text === '') throw new Error('a connection was not answered');
    return { ms: performance.now() - startedMs, pid: Number(/X-Pid: (\d+)/i.exec(text)?.[1]) };
  }

  end(): void {
    this.#socket.destroy();
  }
}

export class IdleCrowd {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  static async connect(port: number, count: number): Promise<IdleCrowd> {
    const members: Member[] = [];
    const one = async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      const member = new Member(socket);
      members.push(member);
      await member.ask();
    };
    for (let left = count; left > 0; left -= connectAtOnce)
      await Promise.all(Array.from({ length: Math.min(left, connectAtOnce) }, one));
    return new IdleCrowd(members);
  }

  get closed(): number {
    return this.#members.filter(({ isClosed }) => isClosed).length;
  }

  /** Asks each connection once; returns the processes that answered. */
  async askAll(): Promise<Set<number>> {
    const pids = new Set<number>();
    for (const member of this.#members) pids.add((await member.ask()).pid);
    return pids;
  }

  /** All ask, again and again with a pause, until `over` is settled. Returns how long each answer took, sorted. */
  async askUntil(over: Promise<unknown>, pauseMs: number): Promise<number[]> {
    const ended = new AbortController();
    void over.finally(() => ended.abort());
    const latencies: number[] = [];
    await Promise.all(
      this.#members.map(async (member) => {
        while (!ended.signal.aborted) {
          latencies.push((await member.ask()).ms);
          await sleep(pauseMs);
        }
      }),
    );
    return latencies.toSorted((a, b) => a - b);
  }

  askFor(ms: number, pauseMs: number): Promise<number[]> {
    return this.askUntil(sleep(ms), pauseMs);
  }

  end(): void {
    for (const member of this.#members) member.end();
  }
}
