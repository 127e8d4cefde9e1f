/** Makes the WSGI environment of a request, with PEP 3333's names as its properties, and the stream `wsgi.errors` in it. */
import { Writable } from 'node:stream';
import type { Environ } from '../../shared/application.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { RequestInput } from './request-input.ts';
import type { FieldBlock } from '../http/field-block.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** The facts that all requests of a process share. */
export interface EnvironDefaults {
  errors: Writable;
  multiprocess: boolean;
  /** entries of the option `environ` */
  extra: Readonly<Record<string, unknown>>;
}

/** The facts about a request head. */
export interface RequestFacts {
  readonly line: RequestLine;
  readonly block: Pick<FieldBlock, 'fields' | 'variables'>;
}

const serverSoftware = 'evy';
const wsgiVersion = Object.freeze([1, 0] as const);

/** Created at the first access: most applications never use it, and an AbortSignal is expensive. */
const signalProperty: PropertyDescriptor & ThisType<Environ> = {
  configurable: true,
  enumerable: true,
  get() {
    return (this['evy.input'] as RequestInput).signal;
  },
};

export function makeEnviron(
  request: RequestFacts,
  peer: PeerFacts,
  input: RequestInput,
  defaults: EnvironDefaults,
): Environ {
  const { line, block } = request;
  // A literal without a spread, then the variables: the fastest way to make such an object in V8.
  const env = {
    'REQUEST_METHOD': line.method,
    'SCRIPT_NAME': '',
    'PATH_INFO': decodePath(line.path),
    'QUERY_STRING': line.query,
    'RAW_PATH_INFO': line.path,
    'RAW_URI': line.target,
    'SERVER_NAME': peer.serverName,
    'SERVER_PORT': peer.serverPort,
    'SERVER_PROTOCOL': line.version,
    'SERVER_SOFTWARE': serverSoftware,
    'GATEWAY_INTERFACE': 'CGI/1.1',
    'REMOTE_ADDR': peer.remoteAddress,
    'REMOTE_PORT': peer.remotePort,
    // A copy: the block is shared, and an application may change its list.
    'headers_raw': block.fields.slice(),
    'wsgi.version': wsgiVersion,
    'wsgi.url_scheme': peer.scheme,
    'wsgi.input': input,
    'wsgi.errors': defaults.errors,
    'wsgi.multithread': false,
    'wsgi.multiprocess': defaults.multiprocess,
    'wsgi.run_once': false,
    'evy.posthooks': [],
    'evy.input': input,
    // Created for each request, which costs less than at the first access.
    'evy.request_id': input.requestId,
  } as unknown as Environ;
  Object.assign(env, block.variables);
  Object.defineProperty(env, 'evy.signal', signalProperty);
  if (peer.scheme === 'https') env.HTTPS = 'on';
  // The host of an absolute target replaces Host (RFC 9112 §3.2.2).
  if (line.authority !== undefined) env['HTTP_HOST'] = line.authority;
  if (peer.host !== undefined) env['HTTP_HOST'] = peer.host;
  for (const key in defaults.extra) env[key] = defaults.extra[key];
  return env;
}

/** Percent-decodes paths for PATH_INFO (RFC 3986 §2.1): UTF-8, with U+FFFD for an invalid byte. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // The path is not valid UTF-8, or has a single '%': what can be decoded is decoded, the rest stays.
    return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (octets) =>
      Buffer.from(octets.replaceAll('%', ''), 'hex').toString('utf8'),
    );
  }
}

/**
 * `wsgi.errors`: text from applications is logged line by line. All requests of a process share one stream, which an
 * application can neither end nor destroy.
 */
export class ErrorLines extends Writable {
  readonly #log: Logger;

  constructor(log: Logger) {
    super({ decodeStrings: false });
    this.#log = log;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (const text of String(chunk).split('\n')) if (text !== '') this.#log.error('app.errors', { text });
    done();
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.write(chunk);
    return this;
  }

  override destroy(): this {
    return this;
  }
}
