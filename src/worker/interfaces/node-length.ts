/**
 * Enforces the Content-Length that the application gave to a response of node:http. Node itself checks it only on
 * request (strictContentLength), and then throws in the stream that is being piped, which ends the process. Without a
 * check, a client takes the surplus of one response for the beginning of the next, and the start of the next for
 * missing bytes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The fault in the length of a complete body. */
export interface LengthFault {
  code: 'APP_SHORT_BODY' | 'APP_LONG_BODY';
  bytes: number;
}

/** Finds Content-Length in headers as writeHead() accepts them: an object, a flat list, or a list of pairs. */
function lengthAmong(headers: object): unknown {
  const flat: unknown[] = Array.isArray(headers) ? headers.flat() : Object.entries(headers).flat();
  const at = flat.findIndex((name, index) => index % 2 === 0 && String(name).toLowerCase() === 'content-length');
  return at < 0 ? undefined : flat[at + 1];
}

/** `report` is called with a fault when the application has ended the response. */
export function holdToLength(
  request: IncomingMessage,
  response: ServerResponse,
  report: (fault: LengthFault) => void,
): void {
  // These methods accept many forms of arguments; only the first one matters here.
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  let inHead: unknown;
  /** remaining bytes of the body; undefined without a length or a body */
  let left: number | undefined;
  let surplus = 0;

  const lengthOf = (): number => {
    const { statusCode } = response;
    if (request.method === 'HEAD' || statusCode === 204 || statusCode === 304) return Infinity;
    const length = Number(inHead ?? response.getHeader('content-length') ?? NaN);
    return Number.isSafeInteger(length) && length >= 0 ? length : Infinity;
  };
  /** Returns the part of the chunk that fits. */
  const fit = (chunk: unknown, encoding: unknown): unknown => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return chunk;
    left ??= lengthOf();
    const name = typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
    const length = typeof chunk === 'string' ? Buffer.byteLength(chunk, name) : chunk.length;
    if (length <= left) {
      left -= length;
      return chunk;
    }
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, name) : chunk;
    const fitting = bytes.subarray(0, left);
    surplus += length - left;
    left = 0;
    return fitting;
  };

  response.writeHead = (...args: unknown[]): ServerResponse => {
    const headers = args.at(-1);
    if (typeof headers === 'object' && headers !== null) inHead = lengthAmong(headers);
    return writeHead(...args);
  };
  response.write = (chunk: unknown, ...rest: unknown[]): boolean => write(fit(chunk, rest[0]), ...rest);
  response.end = (...args: unknown[]): ServerResponse => {
    if (response.writableEnded) return end(...args);
    if (args.length > 0) args[0] = fit(args[0], args[1]);
    left ??= lengthOf();
    if (surplus > 0) report({ code: 'APP_LONG_BODY', bytes: surplus });
    if (left > 0 && left !== Infinity) {
      report({ code: 'APP_SHORT_BODY', bytes: left });
      // This runs before node:http starts the next response, which the client would read as the rest of this one.
      response.prependOnceListener('finish', () => request.socket.destroySoon());
    }
    return end(...args);
  };
}
