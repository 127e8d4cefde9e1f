/**
 * Bytes of a server in, whole HTTP/1 responses out. Strict where a lenient client would hide a server's mistake: an
 * exact status line, CRLF everywhere, digits in Content-Length, and never both framings at once.
 *
 * How a body ends depends on the request (RFC 9112 §6.3), so the request methods are handed in, in order.
 */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface RawHead {
  version: string;
  status: number;
  reason: string;
  /** name and value as received, in order */
  headers: [string, string][];
}

export interface RawResponse extends RawHead {
  framing: Framing;
  body: Buffer;
  /** the sizes of the chunks of a chunked body */
  chunks: number[];
  trailers: [string, string][];
  /** responses with status 1xx that came in front of it */
  interim: RawHead[];
}

/** The values of a header, by name in any case, joined as RFC 9110 §5.2 says; undefined when it is not there. */
export function header(response: RawHead, name: string): string | undefined {
  const values = response.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

export const text = (response: RawResponse): string => response.body.toString('utf8');

/** Whether the server says that the connection ends with this response. */
export const announcesClose = (response: RawHead): boolean => /\bclose\b/i.test(header(response, 'connection') ?? '');

function parseFields(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const match = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!match) throw new Error(`not a header line: ${JSON.stringify(line)}`);
    return [match[1]!, match[2]!];
  });
}

function parseHead(bytes: string): RawHead {
  const [statusLine = '', ...lines] = bytes.split('\r\n');
  const match = /^(HTTP\/1\.[01]) ([1-9]\d\d) (.*)$/.exec(statusLine);
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  return { version: match[1]!, status: Number(match[2]), reason: match[3]!, headers: parseFields(lines) };
}

function framingOf(head: RawHead, method: string): { framing: Framing; length: number } {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { framing: 'none', length: 0 };
  if (head.status === 101 || (method === 'CONNECT' && head.status < 300)) return { framing: 'none', length: 0 };
  const coding = header(head, 'transfer-encoding');
  const length = header(head, 'content-length');
  if (coding !== undefined && length !== undefined) throw new Error('both Transfer-Encoding and Content-Length');
  if (coding?.toLowerCase() === 'chunked') return { framing: 'chunked', length: 0 };
  if (coding !== undefined) throw new Error(`unexpected Transfer-Encoding: ${coding}`);
  if (length === undefined) return { framing: 'close', length: Infinity };
  if (!/^\d+$/.test(length)) throw new Error(`not a Content-Length: ${length}`);
  return { framing: 'length', length: Number(length) };
}

type Step = 'head' | 'body' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'switched';

export class ResponseReader {
  /** Whole final responses so far. */
  readonly responses: RawResponse[] = [];
  /** Bytes that belong to no response yet; after 101, what the new protocol sent. */
  rest: Buffer = Buffer.alloc(0);
  readonly #methods: string[] = [];
  #step: Step = 'head';
  #interim: RawHead[] = [];
  #current: RawResponse | undefined;
  #parts: Buffer[] = [];
  #left = 0;

  /** The methods of requests that were sent; GET is assumed for those that nobody told about. */
  expect(...methods: string[]): void {
    this.#methods.push(...methods);
  }

  /** Whether the connection may end here without cutting a response. */
  get isBetween(): boolean {
    return this.#step === 'switched' || (this.#step === 'head' && this.rest.length === 0 && this.#interim.length === 0);
  }

  /** @throws {Error} when the bytes are not HTTP */
  push(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.#advance());
  }

  /** The server has ended its side: a response without a length is whole now. */
  end(): void {
    if (this.#current?.framing === 'close') this.#finish();
  }

  #advance(): boolean {
    switch (this.#step) {
      case 'head':
        return this.#readHead();
      case 'body':
        return this.#readBody(() => this.#finish());
      case 'chunk-size':
        return this.#readChunkSize();
      case 'chunk-data':
        return this.#readBody(() => (this.#step = 'chunk-end'));
      case 'chunk-end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailers();
      case 'switched':
        return false;
    }
  }

  #takeUntil(mark: string): string | undefined {
    const end = this.rest.indexOf(mark);
    if (end < 0) return undefined;
    const taken = this.rest.toString('latin1', 0, end);
    this.rest = this.rest.subarray(end + mark.length);
    return taken;
  }

  #readHead(): boolean {
    const bytes = this.#takeUntil('\r\n\r\n');
    if (bytes === undefined) return false;
    const head = parseHead(bytes);
    if (head.status < 200 && head.status !== 101) {
      this.#interim.push(head);
      return true;
    }
    const { framing, length } = framingOf(head, this.#methods.shift() ?? 'GET');
    const empty = Buffer.alloc(0);
    this.#current = { ...head, framing, body: empty, chunks: [], trailers: [], interim: this.#interim };
    this.#interim = [];
    this.#left = length;
    this.#step = framing === 'chunked' ? 'chunk-size' : 'body';
    if (length === 0 && framing !== 'chunked') this.#finish();
    return true;
  }

  #readBody(done: () => unknown): boolean {
    if (this.rest.length === 0) return false;
    const part = this.rest.subarray(0, this.#left);
    this.rest = this.rest.subarray(part.length);
    this.#left -= part.length;
    this.#parts.push(part);
    if (this.#left === 0) done();
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeUntil('\r\n');
    if (line === undefined) return false;
    if (!/^[\da-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    if (size > 0) this.#current!.chunks.push(size);
    this.#left = size;
    this.#step = size === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.rest.length < 2) return false;
    if (this.#takeUntil('\r\n') !== '')
      throw new Error(`no CRLF after a chunk of ${this.#current!.chunks.at(-1)} bytes`);
    this.#step = 'chunk-size';
    return true;
  }

  #readTrailers(): boolean {
    const line = this.#takeUntil('\r\n');
    if (line === undefined) return false;
    if (line === '') this.#finish();
    else this.#current!.trailers.push(...parseFields([line]));
    return true;
  }

  #finish(): void {
    const response = this.#current!;
    response.body = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#current = undefined;
    this.responses.push(response);
    this.#step = response.status === 101 ? 'switched' : 'head';
  }
}
