/**
 * What node:http knows and does not tell. Which of its connections are between two requests, to the byte: private are
 * the server's list of parsers (`http.server.connections`) and `parser.socket`. Fallback: no connection counts as idle, so each
 * ends with an announced close. How large the head is that it made: private is `response._header`. Fallback: 0.
 */
import type { Server, ServerResponse } from 'node:http';
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

/** Bytes of the head that node:http made for a response; 0 when Node does not tell. */
export function headBytes(response: ServerResponse): number {
  if (privateApiIsOff()) return 0;
  const { _header: head } = response as unknown as { _header?: unknown };
  return typeof head === 'string' ? head.length : 0;
}
