/**
 * What node:http knows of its connections and does not tell: which of them are between two requests, to the byte. Private are
 * the server's list of parsers (`http.server.connections`) and `parser.socket`.
 * Fallback: no connection counts as idle, so each ends with an announced close.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { privateApiIsOff } from './raw.ts';

interface ConnectionsList {
  idle(): Array<{ readonly socket?: Socket | null }>;
}

function connectionsOf(server: Server): ConnectionsList | undefined {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections');
  const list = key === undefined ? undefined : (server as unknown as Record<symbol, Partial<ConnectionsList>>)[key];
  return typeof list?.idle === 'function' ? (list as ConnectionsList) : undefined;
}

/**
 * Connections that have had a request and of whose next one not a byte is here. One without any request yet is not among
 * them. Undefined where that cannot be known.
 */
export function idleHttpSockets(server: Server): Socket[] | undefined {
  const connections = privateApiIsOff() ? undefined : connectionsOf(server);
  return connections?.idle().flatMap(({ socket }) => (socket ? [socket] : []));
}
