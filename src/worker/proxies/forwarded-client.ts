/**
 * Determines the client from the headers of trusted proxies. Pure: header values in, facts out; it never throws.
 *
 * Each proxy appends what it saw, so the lists are read from the right. The peer of the connection, which is trusted,
 * wrote the last entry; the hop named there wrote the one before, and so on while hops are trusted. The first hop that
 * is not trusted is the client, which may have forged everything further left. A malformed entry ends the walk, and the
 * facts so far are kept.
 */
import { isIP } from 'node:net';
import { lastElementStart, parseElement, parseNode, portOf } from '../http/forwarded.ts';
import type { ForwardedNode } from '../http/forwarded.ts';
import { hostAndPort } from '../http/grammar.ts';
import { listMembers } from '../http/field-lines.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** Values of the trusted fields, with repeated ones joined. */
export interface ForwardingFields {
  forwarded: string | undefined;
  for: string | undefined;
  proto: string | undefined;
  host: string | undefined;
  port: string | undefined;
}

/** One proxy's statement about the request that it received. */
interface Hop {
  /** The sender of the request to this proxy; undefined when it is missing or invalid. */
  node: ForwardedNode | undefined;
  scheme: 'http' | 'https' | undefined;
  host: string | undefined;
  /** '' when it is missing */
  port: string;
}

/** Longer chains are cut off here. */
const maxHops = 32;

/** Some proxies use `ws` and `wss` for an upgrade to WebSocket. */
const schemes: Readonly<Record<string, 'http' | 'https'>> = { http: 'http', ws: 'http', https: 'https', wss: 'https' };
const defaultPorts = { http: '80', https: '443' } as const;

function schemeOf(text: string | undefined): 'http' | 'https' | undefined {
  const lower = text?.toLowerCase() ?? '';
  return Object.hasOwn(schemes, lower) ? schemes[lower] : undefined;
}

function portIn(host: string | undefined): string {
  return portOf(/:(\d+)$/.exec(host ?? '')?.[1]);
}

function hostOf(text: string | undefined): string | undefined {
  if (text === undefined || !hostAndPort.test(text)) return undefined;
  // hostAndPort accepts 99999.
  return /:\d+$/.test(text) && portIn(text) === '' ? undefined : text;
}

function nodeOf(text: string | undefined, bare: boolean): ForwardedNode | undefined {
  const node = text === undefined ? undefined : parseNode(text, bare);
  return node?.kind === 'address' && isIP(node.name) === 0 ? undefined : node;
}

/** RFC 7239 §4, the last element first. */
function* forwardedHops(text: string): Generator<Hop, void, undefined> {
  for (let end = text.length; end >= 0;) {
    const start = lastElementStart(text, end);
    const part = text.slice(start, end);
    end = start - 1;
    // A list may hold empty elements (RFC 9110 §5.6.1).
    if (/^[ \t]*$/.test(part)) continue;
    const element = parseElement(part);
    if (element === undefined) return;
    const host = hostOf(element.host);
    yield { node: nodeOf(element.for, false), scheme: schemeOf(element.proto), host, port: '' };
  }
}

/** Members of a comma-separated list, the last one first, empty ones dropped. */
function backwards(text: string | undefined): string[] {
  if (text === undefined) return [];
  // Usually there is only one.
  if (/^[^ \t,]+$/.test(text)) return [text];
  return listMembers(text).toReversed();
}

/**
 * X-Forwarded-*, the last members first. A proxy that appends to one list appends to all, so members at the same
 * distance from the right belong together. A proxy that overwrites leaves a single member, which applies to all hops.
 */
function* listedHops(fields: ForwardingFields): Generator<Hop, void, undefined> {
  const [nodes, protos, hosts, ports] = [fields.for, fields.proto, fields.host, fields.port].map(backwards);
  const depth = Math.max(1, nodes!.length);
  // If one of several members is missing at a hop's distance, those further left are not used: the client may have forged them.
  const at = (members: readonly string[], index: number): string | undefined =>
    members.length === 1 ? members[0] : members[index];
  for (let index = 0; index < depth; index += 1) {
    yield {
      node: nodeOf(nodes![index], true),
      scheme: schemeOf(at(protos!, index)),
      host: hostOf(at(hosts!, index)),
      port: portOf(at(ports!, index)),
    };
  }
}

/**
 * If both are present, X-Forwarded-* take precedence over `Forwarded`: common proxies write the former and pass on the
 * client's `Forwarded` unchanged; hardly any does the reverse.
 */
function hopsOf(fields: ForwardingFields): Iterable<Hop> {
  const { for: nodes, proto, host, port } = fields;
  const isListed = nodes !== undefined || proto !== undefined || host !== undefined || port !== undefined;
  if (isListed) return listedHops(fields);
  return fields.forwarded === undefined ? [] : forwardedHops(fields.forwarded);
}

/**
 * Returns `peer` as the application should see it, or the same object when the fields do not change it. `host` is the
 * Host of the request.
 */
export function clientFacts(
  peer: PeerFacts,
  fields: ForwardingFields,
  host: string | undefined,
  isTrusted: (address: string) => boolean,
): PeerFacts {
  let node: ForwardedNode | undefined;
  let last: Hop | undefined;
  let hops = 0;
  for (const hop of hopsOf(fields)) {
    last = hop;
    node = hop.node ?? node;
    hops += 1;
    if (hop.node?.kind !== 'address' || hops === maxHops || !isTrusted(hop.node.name)) break;
  }
  return last === undefined ? peer : apply(peer, node, last, host);
}

function apply(peer: PeerFacts, node: ForwardedNode | undefined, hop: Hop, host: string | undefined): PeerFacts {
  const scheme = hop.scheme ?? peer.scheme;
  // The port that the client connected to: from the fields, from its Host, or the default of the scheme.
  const isMoved = hop.host !== undefined || hop.scheme !== undefined;
  const moved = isMoved ? portIn(hop.host ?? host) || defaultPorts[scheme] : peer.serverPort;
  const serverPort = hop.port === '' ? moved : hop.port;
  return {
    serverName: hop.host === undefined ? peer.serverName : nameIn(hop.host),
    serverPort,
    remoteAddress: node?.name ?? peer.remoteAddress,
    remotePort: node === undefined ? peer.remotePort : node.port,
    scheme,
    host: hop.host === undefined ? undefined : withPort(hop.host, hop.port, scheme),
  };
}

/** The form of SERVER_NAME: an IPv6 address without brackets. */
function nameIn(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** X-Forwarded-Port applies to an X-Forwarded-Host without a port. */
function withPort(host: string, port: string, scheme: 'http' | 'https'): string {
  return port === '' || port === defaultPorts[scheme] || /:\d*$/.test(host) ? host : `${host}:${port}`;
}
