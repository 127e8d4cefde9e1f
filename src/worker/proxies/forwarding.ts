/**
 * What the headers of trusted proxies change in the environment. Trust is decided once per connection: one whose peer is not trusted has
 * no `Forwarding`, and its requests cost nothing. A trusted proxy mostly repeats itself, so the facts of the last request are kept
 * together with the fields that they were made of.
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

/** The options' side, once a process. */
export class TrustedProxies {
  readonly #peers: PeerList;
  readonly #believed: ReadonlySet<string>;
  /** The results for recent addresses: the same hops and clients return again and again. */
  readonly #known = new Map<string, boolean>();

  constructor(peers: PeerList, headers: readonly string[]) {
    this.#peers = peers;
    this.#believed = new Set(headers);
  }

  /** For a connection; undefined when its peer is not trusted. */
  connection(peer: PeerFacts): Forwarding | undefined {
    return this.isTrusted(peer.remoteAddress) ? new Forwarding(this, peer) : undefined;
  }

  readonly isTrusted = (address: string): boolean => {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const isTrusted = this.#peers.includes(address);
    if (this.#known.size === maxKnown) this.#known.clear();
    // A copy of its own: the address is a slice that would keep the whole head alive.
    this.#known.set(Buffer.from(address, 'latin1').toString('latin1'), isTrusted);
    return isTrusted;
  };

  believes(header: string): boolean {
    return this.#believed.has(header);
  }
}

/** Undefined when nobody is trusted. */
export function trustedProxiesOf(
  settings: Pick<ServerSettings, 'trustedProxies' | 'trustedHeaders'>,
): TrustedProxies | undefined {
  const peers = peerListOf(settings.trustedProxies);
  return peers === undefined ? undefined : new TrustedProxies(peers, settings.trustedHeaders);
}

/** Keys of `variables`; one that no header can have stands for a field that is not believed. */
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

  /** The facts for a request with these fields, whose Host (or the authority of its target) is `host`. */
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
