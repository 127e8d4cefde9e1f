/**
 * Lists of peers for the options `trustedProxies` and `proxyProtocol`: an address, a network in CIDR notation, or one
 * of the words below. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`, as a socket on `::` reports it) is treated as the
 * IPv4 address.
 */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

/** The name of a peer on a unix socket, which has no address. */
export const unixPeer = 'unix';

const networks: Readonly<Record<string, readonly string[]>> = {
  /** any client of a unix socket: the file's mode controls access */
  [unixPeer]: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  /** RFC 1918 and RFC 4193, and the link-local networks of RFC 3927 and RFC 4291 §2.5.6 */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
};

/** The accepted notations, for messages. */
export const peerNotation = 'an address, a network such as 10.0.0.0/8, unix, loopback or private';

interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** Returns the IPv4 address within `::ffff:0:0/96`, in any spelling; undefined for any other address. */
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
  /** One list per family: in a common list ::/0 would match all IPv4 addresses too. */
  readonly #rules = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly #hasUnix: boolean;

  /** Options have been checked, so an invalid entry is ignored here. */
  constructor(entries: readonly string[]) {
    this.#hasUnix = entries.includes(unixPeer);
    for (const text of entries.flatMap((entry) => networks[entry] ?? [entry])) {
      const network = parseNetwork(text);
      if (network !== undefined) this.#rules[network.family].addSubnet(network.address, network.prefix, network.family);
    }
  }

  /** `address` is an IP address as a socket or a proxy reports it, or 'unix'. */
  includes(address: string): boolean {
    if (address === unixPeer) return this.#hasUnix;
    // A link-local address has a zone: fe80::1%eth0.
    const zone = address.indexOf('%');
    const plain = zone < 0 ? address : address.slice(0, zone);
    const family = isIP(plain);
    if (family === 0) return false;
    const ipv4 = family === 4 ? plain : mappedAddress(plain);
    return ipv4 === undefined ? this.#rules.ipv6.check(plain, 'ipv6') : this.#rules.ipv4.check(ipv4, 'ipv4');
  }
}

/** Returns undefined for an empty list, which disables the feature. */
export function peerListOf(entries: readonly string[]): PeerList | undefined {
  return entries.length === 0 ? undefined : new PeerList(entries);
}
