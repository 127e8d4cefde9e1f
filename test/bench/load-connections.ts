/**
 * The connections of the load generator. They have to cost less than what they measure, so a response is parsed in full
 * once, then bytes are counted: all responses of a work have the same size. A response that is late, other or missing
 * shows as a wrong first byte or a wrong total, and ends the bench.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ResponseReader } from '../helpers/response-reader.ts';
import type { LoadTask } from './child.ts';

const startOfSuccess = Buffer.from('HTTP/1.1 200 ');
const readBuffer = Buffer.alloc(1 << 18);

/** `onBytes` gets the bytes in a buffer that is used again. */
export function open(port: number, onBytes: (bytes: Buffer, length: number) => void): Promise<Socket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (length, bytes) => {
        onBytes(bytes as Buffer, length);
        return true;
      },
    },
  });
  return once(socket, 'connect').then(() => socket);
}

/** Asks once, checks the response in full, and returns its size. */
export async function measureResponse({ port, request }: Pick<LoadTask, 'port' | 'request'>): Promise<number> {
  const reader = new ResponseReader();
  let size = 0;
  const socket = await open(port, (bytes, length) => {
    size += length;
    reader.push(Buffer.from(bytes.subarray(0, length)));
  });
  socket.on('error', () => {});
  socket.write(request);
  while (reader.responses.length === 0) await new Promise(setImmediate);
  socket.destroy();
  const [response] = reader.responses;
  if (response?.status !== 200) throw new Error(`unexpected response: ${JSON.stringify(response)}`);
  return size;
}

/** Counts the bytes of one batch of responses after the other. */
export class Batch {
  readonly #bytes: number;
  #received = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Whether the batch is whole now. */
  take(bytes: Buffer, length: number): boolean {
    if (
      this.#received === 0 &&
      bytes.compare(startOfSuccess, 0, startOfSuccess.length, 0, startOfSuccess.length) !== 0
    ) {
      throw new Error(`not the response that was expected: ${bytes.toString('latin1', 0, Math.min(length, 80))}`);
    }
    this.#received += length;
    if (this.#received > this.#bytes) throw new Error('more bytes than the expected responses have');
    if (this.#received < this.#bytes) return false;
    this.#received = 0;
    return true;
  }

  get received(): number {
    return this.#received;
  }
}
