/**
 * The names of a request. Its id is what a trusted proxy sent, if that is fit for a log line, or else one of our own: a random prefix
 * for the process and a counter, which names a request and is no secret. Its traceparent is what a trusted proxy sent.
 */
import { randomBytes } from 'node:crypto';
import type { ServerSettings } from '../../shared/options/table.ts';

/** Letters, digits and what ids are usually made of: nothing that a log line or a header would have to escape. */
const saneId = /^[\w.:=+/@~-]{1,128}$/;

/** 72 bits: no two processes share them. */
let prefix = '';
/** The last two digits of the counter, to base 36: all but one in 1296 ids need no number turned into text. */
let endings: readonly string[] = [];
let beginning = '';
let made = 0;

function begin(): void {
  prefix = randomBytes(9).toString('base64url');
  endings = Array.from({ length: 36 * 36 }, (_, index) => index.toString(36).padStart(2, '0'));
}

export function makeRequestId(): string {
  if (made === 0) begin();
  const ending = made % endings.length;
  if (ending === 0) beginning = `${prefix}-${(made / endings.length).toString(36)}`;
  made += 1;
  return beginning + endings[ending]!;
}

/** What a request is called by; undefined where nobody has given it a name yet. */
export interface RequestNames {
  requestId: string | undefined;
  traceparent: string | undefined;
}

/** A request that log lines are about. */
export interface NamedRequest {
  /** method and target, id and traceparent: an id is made when there is none */
  readonly logFields: RequestNames & { request: string };
}

/** The options' side, once a process. */
export class RequestNaming {
  readonly #variable: string;
  readonly #header: string;
  readonly #isPresent: RegExp;
  /** whether responses carry the id */
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

  /** The names that a trusted peer gave to a request. */
  received(variables: Readonly<Record<string, string>>): RequestNames {
    const given = variables[this.#variable];
    return {
      requestId: given !== undefined && saneId.test(given) ? given : undefined,
      traceparent: validTraceparent(variables['HTTP_TRACEPARENT']),
    };
  }

  /** A response head with the id as its last field, unless the application has sent one of its own. */
  addTo(head: string, requestId: string): string {
    return this.#isPresent.test(head) ? head : `${head.slice(0, -2)}${this.#header}: ${requestId}\r\n\r\n`;
  }
}

/** `traceparent` of W3C Trace Context §3.2: version, trace id, parent id, flags, each in lower-case hex. */
const version00 = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** A later version may append to what version 00 holds (§3.2.1); 'ff' is invalid. */
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]*)?$/;

/** The longest that is taken; version 00 has 55. */
const maxTraceparentLength = 128;

/** The value when it follows the grammar; a repeated field, joined by a comma, does not. */
export function validTraceparent(value: string | undefined): string | undefined {
  if (value === undefined || value.length > maxTraceparentLength) return undefined;
  return version00.test(value) || laterVersion.test(value) ? value : undefined;
}
