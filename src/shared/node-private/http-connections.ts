/**
 * Internal facts of node:http. First, which connections are idle between two requests. Private API: the server's list
 * of parsers (`http.server.connections`) and `parser.socket`. Fallback: no connection counts as idle, so each is closed
 * after a response that announces it. Second, the size of a response head. Private API: `response._header`. Fallback:
 * 0.
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
 * Returns the connections that have served a request and have received no byte of the next one. Connections without any
 * request so far are not included. Undefined where this is unknown.
 */
export function idleHttpSockets(server: Server): Socket[] | undefined {
  const connections = privateApiIsOff() ? undefined : connectionsOf(server);
  return connections?.idle().flatMap(({ socket }) => (socket ? [socket] : []));
}

/** Bytes of the head that node:http made for a response; 0 where this is unknown. */
export function headBytes(response: ServerResponse): number {
  if (privateApiIsOff()) return 0;
  const { _header: head } = response as unknown as { _header?: unknown };
  return typeof head === 'string' ? head.length : 0;
}
