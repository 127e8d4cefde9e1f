/**
 * All error codes of evy, in one table. `docs/errors.md` is generated from it.
 *
 * A row that a client can cause has the HTTP status of the refusal. A row that ends a process has its exit code: 2
 * usage, 3 workers cannot boot (or bind), 4 the application failed to load.
 */
import { nodeUtil } from './lazy-node.ts';

interface ErrorRow {
  readonly status?: number;
  readonly exit?: number;
  /** the meaning and the remedy, for docs/errors.md */
  readonly help: string;
}

const rows = {
  // Errors of a client's request.
  BAD_REQUEST_LINE: { status: 400, help: 'The request line is not `method SP target SP HTTP-version` (RFC 9112 §3).' },
  BAD_TARGET: { status: 400, help: 'The request target is none of the four forms of RFC 9112 §3.2.' },
  BAD_BYTE: {
    status: 400,
    help: 'The request head has a control character, or a CR or LF that is not part of a CRLF (RFC 9112 §2.2).',
  },
  BAD_HEADER: {
    status: 400,
    help: 'A field line is not `name ":" value` with a token as name, or it is folded (RFC 9112 §5).',
  },
  BAD_HOST: { status: 400, help: 'Host is missing, repeated or not a valid `uri-host [":" port]` (RFC 9112 §3.2).' },
  BAD_CONTENT_LENGTH: {
    status: 400,
    help: 'Content-Length is repeated, is not a number, or is too large (RFC 9112 §6.3).',
  },
  BAD_TRANSFER_ENCODING: {
    status: 400,
    help: 'Transfer-Encoding came with Content-Length, twice, or in HTTP/1.0 (RFC 9112 §6.1).',
  },
  UNKNOWN_TRANSFER_CODING: {
    status: 501,
    help: 'The request uses a transfer coding other than `chunked` (RFC 9112 §6.1).',
  },
  BAD_CHUNK: { status: 400, help: 'The chunked body is malformed (RFC 9112 §7.1).' },
  BAD_TRAILER: { status: 400, help: 'The trailers have Content-Length or Transfer-Encoding (RFC 9110 §6.5.1).' },
  BAD_VERSION: { status: 505, help: 'The HTTP version is neither 1.0 nor 1.1 (RFC 9110 §15.6.6).' },
  URI_TOO_LONG: { status: 414, help: 'The request line is longer than the option urlLengthLimit.' },
  HEAD_TOO_LARGE: { status: 431, help: 'The header section is larger than the option maxHead.' },
  TOO_MANY_HEADERS: { status: 431, help: 'The request has more header fields than the option maxHeaders.' },
  TRAILERS_TOO_LARGE: {
    status: 431,
    help: 'The trailer section is larger than the option maxHead or has more fields than maxHeaders.',
  },
  LENGTH_REQUIRED: {
    status: 411,
    help: 'The body is chunked, and the server uses HTTP/1.0 (option maxHttpVersion, RFC 9110 §15.5.12).',
  },
  WRONG_SCHEME: {
    status: 421,
    help: 'The target names https on a connection without TLS, or http on one with it (RFC 9110 §7.4).',
  },
  WRONG_HOST: { status: 421, help: 'The host is not one of the option allowedHosts (RFC 9110 §7.4).' },
  UNKNOWN_EXPECTATION: { status: 417, help: 'Expect is something other than 100-continue (RFC 9110 §10.1.1).' },
  BODY_TOO_LARGE: { status: 413, help: 'The body is larger than the option maxBody.' },
  BODY_CUT: { status: 400, help: 'The client ended the connection before its body was complete.' },
  HEAD_CUT: { status: 400, help: 'The client ended the connection in the middle of a request head.' },
  HEAD_TIMEOUT: { status: 408, help: 'The request head was not complete within the option headTimeout.' },
  BODY_TIMEOUT: { status: 408, help: 'No byte of the body arrived within the option socketTimeout.' },
  BODY_TOO_SLOW: { status: 408, help: 'The body arrived more slowly than the option bodyMinRate.' },

  // Limits of the whole server.
  OVERLOADED: {
    status: 503,
    help: 'More requests are under way than the option maxConcurrentRequests allows; with Retry-After.',
  },
  QUARANTINED: {
    status: 503,
    help: 'Workers crashed during requests with this method and route (option quarantine); with Retry-After.',
  },

  // Errors of a proxy at the start of a connection; there is no request to answer.
  BAD_PROXY_HEADER: {
    help: 'A peer named by the option proxyProtocol sent no valid PROXY protocol header; the connection was closed.',
  },
  PROXY_HEADER_TIMEOUT: {
    help: 'A peer named by the option proxyProtocol sent no complete PROXY protocol header within headTimeout; the connection was closed.',
  },

  // Errors of a TLS connection before any request.
  HANDSHAKE_FAILED: { help: 'A client began a TLS handshake and ended it, or its handshake failed or took too long.' },

  // Errors of the application.
  APP_FAILED: { status: 500, help: 'The application threw or its promise was rejected; the cause is logged.' },
  APP_NO_START: { status: 500, help: 'The application returned a body but had not called startResponse.' },
  APP_BAD_STATUS: {
    status: 500,
    help: "A status must be three digits from 200 to 599, a space and a reason, as in '200 OK'.",
  },
  APP_BAD_HEADER: {
    status: 500,
    help: 'A header name is not a token, or a value has CR, LF, NUL or a character outside latin-1.',
  },
  APP_STARTED_TWICE: { status: 500, help: 'startResponse was called again without excInfo.' },
  APP_BAD_BODY: {
    status: 500,
    help: 'The body is not a string, a Uint8Array, or an (async) iterable of these; or the ArrayBuffer of a piece was transferred before the piece was sent.',
  },
  APP_SHORT_BODY: { help: 'The body was shorter than its Content-Length; the connection was closed.' },
  APP_LONG_BODY: { help: 'The body was longer than its Content-Length; the surplus was dropped.' },
  CLIENT_GONE: { help: 'The client closed the connection before the response was complete.' },
  REQUEST_TIMEOUT: {
    status: 504,
    help: 'The application did not finish its response within the option requestTimeout (RFC 9110 §15.6.5).',
  },
  REQUEST_CUT: {
    help: 'The response was cut: the client received nothing within socketTimeout, or the grace time of the worker was over.',
  },

  // Errors of the command line, the configuration and the environment.
  USAGE: { exit: 2, help: 'The command line has an unknown flag, or a flag without its value.' },
  BAD_OPTION: { exit: 2, help: 'An option has a value that docs/options.md does not allow.' },
  BAD_CONFIG: { exit: 2, help: 'The configuration file is missing, cannot be read, or has an unknown option.' },
  BAD_BIND: { exit: 2, help: 'An address must be `host:port`, `[ipv6]:port`, `unix:path` or `fd:number`.' },
  BAD_CERTIFICATE: {
    exit: 2,
    help: 'certfile or keyfile cannot be read or is not PEM, or the key is not that of the certificate.',
  },
  UNSUPPORTED_PLATFORM: { exit: 2, help: 'evy runs on Linux, and on macOS for development.' },
  ADDRESS_IN_USE: { exit: 3, help: 'Another process listens on the address; stop it, or choose another --bind.' },
  ADDRESS_NOT_PERMITTED: {
    exit: 3,
    help: 'The user is not permitted to bind the address: a port below 1024, or a path in a folder that the user cannot write.',
  },
  ADDRESS_NOT_AVAILABLE: { exit: 3, help: 'The host is not an address of this machine, or cannot be resolved.' },
  LISTEN_FAILED: { exit: 3, help: 'The operating system refused the listening socket for the reason given.' },
  WORKERS_CANNOT_BOOT: {
    exit: 3,
    help: 'No worker of the first generation became ready; the reason of the first one is shown.',
  },
  BOOT_TIMEOUT: { exit: 3, help: 'A worker was not ready within the option bootTimeout.' },
  APP_NOT_FOUND: { exit: 4, help: 'The module of the application, or its export, does not exist.' },
  APP_NOT_CALLABLE: { exit: 4, help: 'The export is not an application of the chosen --interface.' },
  APP_LOAD_FAILED: {
    exit: 4,
    help: 'The application threw while its module was loaded; its own stack trace is shown.',
  },
  WARM_UP_FAILED: {
    exit: 4,
    help: 'A request of the option warmup was not answered with 2xx or 3xx, so the worker did not serve.',
  },
  NO_TYPESCRIPT: { exit: 4, help: 'This Node cannot run TypeScript, and tsx is not installed beside the application.' },
  RELOAD_FAILED: { help: 'The new generation did not start; the old one serves on, unchanged.' },
  RELOAD_ROLLED_BACK: {
    help: 'The new generation exceeded a limit within the bake time; the old one serves again.',
  },
  RELOAD_SUPERSEDED: { help: 'Another reload, or a stop, came before this reload was done.' },
  ON_RELOAD_TIMEOUT: { help: 'The function onReload of createMaster() returned no options within ten seconds.' },
  SCALE_FAILED: { help: 'New workers died or did not become ready; the wanted number is what it was before.' },
  UPGRADE_FAILED: {
    exit: 3,
    help: 'The new master did not become ready, or it ended before the old one; the old one serves on.',
  },
  STOPPING: { help: 'The master is stopping and accepts no further command.' },
  NOT_SUPPORTED: { help: 'A master can be started once, and not inside a node:cluster worker.' },
  INTERNAL: { exit: 1, help: 'An error of evy itself; please report it with the log.' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof rows;
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = rows;

/** An error with a code from the table. `message` names the value and the option to change; `cause` is kept. */
export class EvyError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EvyError';
    this.code = code;
  }
  /** HTTP status of the refusal, or undefined when no client gets one. */
  get status(): number | undefined {
    return errorTable[this.code].status;
  }
  /** The exit code of the process that this error ends. */
  get exitCode(): number {
    return errorTable[this.code].exit ?? 1;
  }
}

/** Converts a thrown value to an Error, since applications may throw any value. */
export function toError(thrown: unknown): Error {
  try {
    // An EvyError always has a readable message and stack.
    if (thrown instanceof EvyError) return thrown;
    if (thrown instanceof Error) return readable(thrown);
    return new Error(`a value that is no Error was thrown: ${String(thrown)}`);
  } catch {
    return new Error(`a value that is no Error was thrown: ${inspected(thrown)}`);
  }
}

/** Returns the error itself when its message and stack are strings; otherwise a new Error with the parts that are. */
function readable(error: Error): Error {
  const message = textOf(error, 'message');
  const stack = textOf(error, 'stack');
  if (message !== undefined && stack !== undefined) return error;
  const copy = new Error(message ?? 'an Error was thrown whose message is not text');
  copy.stack = stack ?? `Error: ${copy.message}`;
  return copy;
}

function textOf(error: Error, name: 'message' | 'stack'): string | undefined {
  try {
    const value: unknown = error[name];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** String() rejects some values, such as an object without a prototype. */
function inspected(value: unknown): string {
  try {
    return nodeUtil().inspect(value, { depth: 1, breakLength: Infinity });
  } catch {
    return `${typeof value} that cannot be shown`;
  }
}
