/**
 * The names of a request: its id and its traceparent. The id is that of a trusted proxy, if it is safe for a log line,
 * or a generated one: a random prefix per process and a counter. It identifies a request and is no secret. The
 * traceparent is that of a trusted proxy.
 */
import { nodeCrypto } from '../../shared/lazy-node.ts';
import type { ServerSettings } from '../../shared/options/table.ts';

/** Letters, digits and the usual punctuation of ids: nothing that a log line or a header would have to escape. */
const saneId = /^[\w.:=+/@~-]{1,128}$/;

/** 72 random bits, so that no two processes share a prefix. */
let prefix = '';
/** The last two digits of the counter, to base 36: only one in 1296 ids needs a number formatted as text. */
let endings: readonly string[] = [];
let beginning = '';
let made = 0;

function begin(): void {
  prefix = nodeCrypto().randomBytes(9).toString('base64url');
  endings = Array.from({ length: 36 * 36 }, (_, index) => index.toString(36).padStart(2, '0'));
}

export function makeRequestId(): string {
  if (made === 0) begin();
  const ending = made % endings.length;
  if (ending === 0) beginning = `${prefix}-${(made / endings.length).toString(36)}`;
  made += 1;
  return beginning + endings[ending]!;
}

/** The names of a request; undefined where it has none yet. */
export interface RequestNames {
  requestId: string | undefined;
  traceparent: string | undefined;
}

/** A request that log lines name. */
export interface NamedRequest {
  /** method and target, id and traceparent; an id is generated when there is none */
  readonly logFields: RequestNames & { request: string };
}

/** The facts from the options, once per process. */
export class RequestNaming {
  readonly #variable: string;
  readonly #header: string;
  readonly #isPresent: RegExp;
  /** whether responses have the id as a header */
  readonly sends: boolean;

  constructor({ requestIdHeader, sendRequestId }: Pick<ServerSettings, 'requestIdHeader' | 'sendRequestId'>) {
    this.#header = requestIdHeader;
    this.#variable = `HTTP_${requestIdHeader.toUpperCase().replaceAll('-', '_')}`;
    this.#isPresent = new RegExp(`^${requestIdHeader}:`, 'im');
    this.sends = sendRequestId;
  }

  get header(): string {
    return this.#header;
  }

  /** The names that a trusted peer sent for a request. */
  received(variables: Readonly<Record<string, string>>): RequestNames {
    const given = variables[this.#variable];
    return {
      requestId: given !== undefined && saneId.test(given) ? given : undefined,
      traceparent: validTraceparent(variables['HTTP_TRACEPARENT']),
    };
  }

  /** Adds the id as the last field of a response head, unless the application has sent its own. */
  addTo(head: string, requestId: string): string {
    return this.#isPresent.test(head) ? head : `${head.slice(0, -2)}${this.#header}: ${requestId}\r\n\r\n`;
  }
}

/** `traceparent` of W3C Trace Context §3.2: version, trace id, parent id, flags, each in lower-case hex. */
const version00 = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** A later version may append to the fields of version 00 (§3.2.1); 'ff' is invalid. */
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]*)?$/;

/** The longest value that is accepted; version 00 has 55 characters. */
const maxTraceparentLength = 128;

/** Returns the value if it follows the grammar; a repeated field, joined by a comma, does not. */
export function validTraceparent(value: string | undefined): string | undefined {
  if (value === undefined || value.length > maxTraceparentLength) return undefined;
  return version00.test(value) || laterVersion.test(value) ? value : undefined;
}
