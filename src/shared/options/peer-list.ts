/**
 * Lists of peers as the options `trustedProxies` and `proxyProtocol` name them: an address, a network in CIDR notation, or
 * one of the words below. An IPv4 address that comes as IPv6 (`::ffff:10.0.0.1`, as a socket on `::` shows it) is the IPv4
 * address, in the list and out of it.
 */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

/** How a peer without an address, on a unix socket, shows in the environment and here. */
export const unixPeer = 'unix';

const networks: Readonly<Record<string, readonly string[]>> = {
  /** whoever connects to a unix socket of ours: its file's mode says who can */
  [unixPeer]: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  /** RFC 1918 and RFC 4193, and the link-local networks of RFC 3927 and RFC 4291 §2.5.6 */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
};

/** What an entry may be, for messages. */
export const peerNotation = 'an address, a network such as 10.0.0.0/8, unix, loopback or private';

interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** The IPv4 address within `::ffff:0:0/96`, however it is spelled; undefined for any other. */
function mappedAddress(address: string): string | undefined {
  if (!/ffff:/i.test(address)) return undefined;
  const { address: canonical } = new SocketAddress({ address, family: 'ipv6' });
  const inner = canonical.startsWith('::ffff:') ? canonical.slice(7) : '';
  return isIPv4(inner) ? inner : undefined;
}

function parseNetwork(text: string): Network | undefined {
  const [address, bits, ...more] = text.split('/');
  const family = address!.includes('%') ? 0 : isIP(address!);
  if (family === 0 || more.length > 0 || (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits))) return undefined;
  const widest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? widest : Number(bits);
  if (prefix > widest) return undefined;
  const mapped = family === 6 && prefix >= 96 ? mappedAddress(address!) : undefined;
  if (mapped !== undefined) return { address: mapped, family: 'ipv4', prefix: prefix - 96 };
  return { address: address!, family: family === 4 ? 'ipv4' : 'ipv6', prefix };
}

export function isPeerEntry(text: string): boolean {
  return Object.hasOwn(networks, text) || parseNetwork(text) !== undefined;
}

export class PeerList {
  /** One for each family: in a common one ::/0 would hold all IPv4 addresses too. */
  readonly #rules = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly #hasUnix: boolean;

  /** Entries were checked where options are; one that is none names nobody. */
  constructor(entries: readonly string[]) {
    this.#hasUnix = entries.includes(unixPeer);
    for (const text of entries.flatMap((entry) => networks[entry] ?? [entry])) {
      const network = parseNetwork(text);
      if (network !== undefined) this.#rules[network.family].addSubnet(network.address, network.prefix, network.family);
    }
  }

  /** `address` is an IP address as a socket or a proxy tells it, or 'unix'. */
  includes(address: string): boolean {
    if (address === unixPeer) return this.#hasUnix;
    // A link-local peer comes with its zone: fe80::1%eth0.
    const zone = address.indexOf('%');
    const plain = zone < 0 ? address : address.slice(0, zone);
    const family = isIP(plain);
    if (family === 0) return false;
    const ipv4 = family === 4 ? plain : mappedAddress(plain);
    return ipv4 === undefined ? this.#rules.ipv6.check(plain, 'ipv6') : this.#rules.ipv4.check(ipv4, 'ipv4');
  }
}

/** Undefined for an empty list: the feature is off. */
export function peerListOf(entries: readonly string[]): PeerList | undefined {
  return entries.length === 0 ? undefined : new PeerList(entries);
}
