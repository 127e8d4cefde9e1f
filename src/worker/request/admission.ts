/**
 * Decides whether a well-formed request is meant for this server: it has the right scheme, one of its hosts, and a body
 * whose end its version can mark. It is checked once per head, before the application gets the request.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { FieldBlock } from '../http/field-block.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { Forwarding } from '../proxies/forwarding.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** The sender of a request. */
export interface Sender {
  readonly peer: PeerFacts;
  /** Undefined for a peer that is not trusted. */
  readonly forwarding: Forwarding | undefined;
}

/** The scheme of an absolute-form target, 'http://...' or 'https://...' in any case; the grammar has been checked. */
function schemeOf(target: string): PeerFacts['scheme'] {
  return target[4] === ':' ? 'http' : 'https';
}

/** The most spellings of allowed hosts in the cache. */
const maxKnown = 1024;
const hostAndPort = /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/;

/** Without port and without the final dot of an absolute name, in lower case. */
function hostName(host: string): string {
  return (hostAndPort.exec(host)?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/**
 * The host names that this server accepts (option allowedHosts). Names are few and their spellings repeat, so accepted
 * spellings are cached, and a request costs one set lookup. Refused ones are not, since their number is unlimited.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  /** '.example.com' */
  readonly #domains: readonly string[];
  readonly #known = new Set<string>();

  /** `.example.com` matches example.com and all its subdomains. */
  constructor(allowed: readonly string[]) {
    this.#domains = allowed.filter((name) => name.startsWith('.'));
    this.#names = new Set(allowed.map((name) => (name.startsWith('.') ? name.slice(1) : name)));
  }

  /** Whether a Host, or the authority of a target, is allowed. */
  allows(host: string): boolean {
    if (this.#known.has(host)) return true;
    const name = hostName(host);
    if (!this.#names.has(name) && !this.#domains.some((domain) => name.endsWith(domain))) return false;
    // A copy, since the received text is a slice that would keep the whole chunk in memory.
    if (this.#known.size < maxKnown) this.#known.add(Buffer.from(host, 'latin1').toString('latin1'));
    return true;
  }
}

export class Admission {
  readonly #hosts: AllowedHosts | undefined;
  readonly #needsLength: boolean;

  constructor({ allowedHosts, maxHttpVersion }: Pick<ServerSettings, 'allowedHosts' | 'maxHttpVersion'>) {
    this.#hosts = allowedHosts.length > 0 ? new AllowedHosts(allowedHosts) : undefined;
    // An HTTP/1.0 server can delimit bodies only by their length (RFC 9110 §15.5.12).
    this.#needsLength = maxHttpVersion === 'HTTP/1.0';
  }

  /** Returns why the request is refused; undefined when it is not. */
  faultOf(line: RequestLine, block: FieldBlock, sender: Sender): ErrorCode | undefined {
    if (line.authority !== undefined && line.method !== 'CONNECT' && !this.agrees(line.target, sender)) {
      return 'WRONG_SCHEME';
    }
    if (this.#hosts !== undefined && !this.allowsHost(line.authority, block.variables, sender)) return 'WRONG_HOST';
    return this.#needsLength && block.framing.body === 'chunked' ? 'LENGTH_REQUIRED' : undefined;
  }

  /**
   * Whether an absolute-form target has the connection's scheme. The scheme of a trusted proxy's own connection does
   * not count (RFC 9110 §7.4).
   */
  agrees(target: string, { peer, forwarding }: Sender): boolean {
    return forwarding !== undefined || schemeOf(target) === peer.scheme;
  }

  /**
   * A host from a trusted proxy counts alone. Otherwise both are checked: the target takes precedence (RFC 9112
   * §3.2.2), but an application may read Host. A request of HTTP/1.0 may have no host; then there is none to check.
   */
  allowsHost(
    authority: string | undefined,
    variables: Readonly<Record<string, string>>,
    { forwarding }: Sender,
  ): boolean {
    const hosts = this.#hosts;
    if (hosts === undefined) return true;
    const host = variables['HTTP_HOST'];
    const told = forwarding?.factsOf(variables, authority ?? host).host;
    if (told !== undefined) return hosts.allows(told);
    return (authority === undefined || hosts.allows(authority)) && (host === undefined || hosts.allows(host));
  }
}
