/**
 * Applies the headers of trusted proxies to the environment. Trust is decided once per connection: a connection from an
 * untrusted peer has no `Forwarding`, and its requests cost nothing. A trusted proxy usually repeats its headers, so
 * the facts of the last request are cached with the fields that they came from.
 */
import { peerListOf, type PeerList } from '../../shared/options/peer-list.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { PeerFacts } from '../transport/peer.ts';
import { clientFacts } from './forwarded-client.ts';
import type { ForwardingFields } from './forwarded-client.ts';

type Variables = Readonly<Record<string, string>>;
type FieldName = keyof ForwardingFields;

/** Enough for the clients of a busy minute. */
const maxKnown = 4096;

/** The facts from the options, once per process. */
export class TrustedProxies {
  readonly #peers: PeerList;
  readonly #believed: ReadonlySet<string>;
  /** Results for recent addresses: the same hops and clients return often. */
  readonly #known = new Map<string, boolean>();

  constructor(peers: PeerList, headers: readonly string[]) {
    this.#peers = peers;
    this.#believed = new Set(headers);
  }

  /** Creates the state of a connection; undefined when its peer is not trusted. */
  connection(peer: PeerFacts): Forwarding | undefined {
    return this.isTrusted(peer.remoteAddress) ? new Forwarding(this, peer) : undefined;
  }

  readonly isTrusted = (address: string): boolean => {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const isTrusted = this.#peers.includes(address);
    if (this.#known.size === maxKnown) this.#known.clear();
    // A copy, since the address is a slice that would keep the whole head in memory.
    this.#known.set(Buffer.from(address, 'latin1').toString('latin1'), isTrusted);
    return isTrusted;
  };

  believes(header: string): boolean {
    return this.#believed.has(header);
  }
}

/** Undefined when no proxy is trusted. */
export function trustedProxiesOf(
  settings: Pick<ServerSettings, 'trustedProxies' | 'trustedHeaders'>,
): TrustedProxies | undefined {
  const peers = peerListOf(settings.trustedProxies);
  return peers === undefined ? undefined : new TrustedProxies(peers, settings.trustedHeaders);
}

/** Keys of `variables`; a field that is not trusted gets a key that no header can have. */
const keys: ReadonlyArray<readonly [FieldName, header: string, variable: string]> = [
  ['forwarded', 'forwarded', 'HTTP_FORWARDED'],
  ['for', 'x-forwarded-for', 'HTTP_X_FORWARDED_FOR'],
  ['proto', 'x-forwarded-proto', 'HTTP_X_FORWARDED_PROTO'],
  ['host', 'x-forwarded-host', 'HTTP_X_FORWARDED_HOST'],
  ['port', 'x-forwarded-port', 'HTTP_X_FORWARDED_PORT'],
];

export class Forwarding {
  readonly #proxies: TrustedProxies;
  readonly #peer: PeerFacts;
  readonly #believed: typeof keys;
  readonly #seen: ForwardingFields = {
    forwarded: undefined,
    for: undefined,
    proto: undefined,
    host: undefined,
    port: undefined,
  };
  #seenHost: string | undefined;
  #facts: PeerFacts;

  constructor(proxies: TrustedProxies, peer: PeerFacts) {
    this.#proxies = proxies;
    this.#peer = peer;
    this.#facts = peer;
    this.#believed = keys.filter(([, header]) => proxies.believes(header));
  }

  /** Returns the facts for a request with these fields; `host` is its Host, or the authority of its target. */
  factsOf(variables: Variables, host: string | undefined): PeerFacts {
    let isRepeated = host === this.#seenHost;
    for (const [name, , variable] of this.#believed) {
      const value = variables[variable];
      if (value === this.#seen[name]) continue;
      this.#seen[name] = value;
      isRepeated = false;
    }
    if (!isRepeated) {
      this.#seenHost = host;
      this.#facts = clientFacts(this.#peer, this.#seen, host, this.#proxies.isTrusted);
    }
    return this.#facts;
  }
}
