/**
 * The load generator: keep-alive connections, each of which sends its requests, waits for all responses, and sends
 * again. It has to cost less than what it measures, so it parses one response in full, then counts bytes: all
 * responses of a work have the same size. A response that is late, other or missing shows as a wrong first byte or a
 * wrong total, and ends the bench.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { ResponseReader } from '../helpers/response-reader.ts';
import { answerParent, type LoadProtocol, type LoadTask } from './child.ts';

const startOfSuccess = Buffer.from('HTTP/1.1 200 ');

class Connection {
  readonly #socket: Socket;
  readonly #batch: Buffer;
  readonly #batchBytes: number;
  readonly #responseBytes: number;
  #received = 0;
  #batches = 0;
  #stopping = false;

  constructor(socket: Socket, batch: Buffer, responseBytes: number, pipeline: number) {
    this.#socket = socket;
    this.#batch = batch;
    this.#responseBytes = responseBytes;
    this.#batchBytes = responseBytes * pipeline;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('close', () => {
      if (!this.#stopping) throw new Error('the server closed a connection of the load generator');
    });
    socket.write(batch);
  }

  #read(bytes: Buffer): void {
    if (this.#received === 0 && !bytes.subarray(0, startOfSuccess.length).equals(startOfSuccess)) {
      throw new Error(`not the response that was expected: ${bytes.toString('latin1', 0, 80)}`);
    }
    this.#received += bytes.length;
    if (this.#received > this.#batchBytes) throw new Error('more bytes than the expected responses have');
    if (this.#received < this.#batchBytes) return;
    this.#received = 0;
    this.#batches += 1;
    if (!this.#stopping) this.#socket.write(this.#batch);
  }

  /** Whole responses so far. */
  get count(): number {
    return (this.#batches * this.#batchBytes + this.#received) / this.#responseBytes;
  }

  stop(): void {
    this.#stopping = true;
    this.#socket.destroy();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Asks once, checks the response in full, and returns its size. */
async function measureResponse({ port, request }: LoadTask): Promise<number> {
  const socket = await open(port);
  const reader = new ResponseReader();
  let size = 0;
  socket.write(request);
  while (reader.responses.length === 0) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    size += bytes.length;
    reader.push(bytes);
  }
  socket.destroy();
  const [response] = reader.responses;
  if (response?.status !== 200 || !reader.isBetween)
    throw new Error(`unexpected response: ${JSON.stringify(response)}`);
  return size;
}

let connections: Connection[] = [];

answerParent<LoadProtocol>({
  async start(task) {
    const size = await measureResponse(task);
    const batch = Buffer.from(task.request.repeat(task.pipeline), 'latin1');
    const sockets = await Promise.all(Array.from({ length: task.connections }, () => open(task.port)));
    connections = sockets.map((socket) => new Connection(socket, batch, size, task.pipeline));
    return undefined;
  },
  count: () => Math.floor(connections.reduce((sum, { count }) => sum + count, 0)),
  stop() {
    for (const connection of connections) connection.stop();
    connections = [];
    return undefined;
  },
});
