/**
 * Whether a well-formed request is one for this server: over the right scheme, for one of its hosts, and with a body that
 * its version can tell the end of. Decided once a head, before the application hears of it.
 */
import type { ErrorCode } from '../shared/errors.ts';
import type { ServerSettings } from '../shared/options.ts';
import { AllowedHosts } from './allowed-hosts.ts';
import type { FieldBlock } from './http/field-block.ts';
import type { RequestLine } from './http/request-line.ts';

type Scheme = 'http' | 'https';

/** The scheme of an absolute-form target, 'http://...' or 'https://...' in any case; the grammar was checked before. */
function schemeOf(target: string): Scheme {
  return target[4] === ':' ? 'http' : 'https';
}

export class Admission {
  readonly #hosts: AllowedHosts | undefined;
  readonly #needsLength: boolean;

  constructor({ allowedHosts, maxHttpVersion }: Pick<ServerSettings, 'allowedHosts' | 'maxHttpVersion'>) {
    this.#hosts = allowedHosts.length > 0 ? new AllowedHosts(allowedHosts) : undefined;
    // A server of HTTP/1.0 knows bodies by their length alone (RFC 9110 §15.5.12).
    this.#needsLength = maxHttpVersion === 'HTTP/1.0';
  }

  /** Why the request that was read is refused; undefined when it is not. */
  faultOf(line: RequestLine, block: FieldBlock, scheme: Scheme): ErrorCode | undefined {
    if (line.authority !== undefined && line.method !== 'CONNECT' && schemeOf(line.target) !== scheme) {
      return 'WRONG_SCHEME';
    }
    if (this.#hosts !== undefined) {
      const fault = this.hostFault(line.authority, block.variables['HTTP_HOST']);
      if (fault !== undefined) return fault;
    }
    return this.#needsLength && block.framing.body === 'chunked' ? 'LENGTH_REQUIRED' : undefined;
  }

  /**
   * Both count: the target decides (RFC 9112 §3.2.2), and an application may look at Host all the same. A request of
   * HTTP/1.0 may name no host; then there is none to be misled by.
   */
  hostFault(authority: string | undefined, host: string | undefined): ErrorCode | undefined {
    if (this.#hosts === undefined) return undefined;
    for (const named of [authority, host]) {
      if (named !== undefined && !this.#hosts.allows(named)) return 'WRONG_HOST';
    }
    return undefined;
  }
}
