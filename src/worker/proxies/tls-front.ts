/**
 * TLS behind the PROXY protocol. The header precedes the handshake, so a plain server accepts, the gate reads the
 * header, and the TLS server, which does not listen itself, continues with the same socket and the bytes behind the
 * header.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { socketBelow } from '../../shared/node-private/node-private.ts';
import { StreamTransport } from '../transport/stream-transport.ts';
import type { ProxyGate } from './proxy-gate.ts';
import type { ToldPeer } from '../transport/peer.ts';

/** the PROXY header's facts of sockets below TLS */
const toldOf = new WeakMap<Socket, ToldPeer>();

/** Returns the facts that a PROXY header gave for this socket. */
export function toldBehind(below: Socket): ToldPeer | undefined {
  return toldOf.get(below);
}

/** Both ends of a TCP connection, which are unique at any time; those of unix sockets are all equal. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Makes the server that listens. `accept` gets each connection when its handshake is done. */
export function frontOf(
  inner: TlsServer,
  gate: ProxyGate,
  accept: (socket: TLSSocket, told: ToldPeer | undefined) => void,
): Server {
  /** the sockets below the connections of `inner`, with their ends */
  const under = new Map<Socket, { told: ToldPeer | undefined; ends: string }>();

  function factsOf(socket: TLSSocket): { told: ToldPeer | undefined } | undefined {
    const below = socketBelow(socket);
    if (below !== undefined) return under.get(below);
    const alike = [...under.values()].filter(({ ends }) => ends === endsOf(socket));
    return alike.length === 1 ? alike[0] : undefined;
  }

  inner.on('secureConnection', (socket) => {
    const facts = factsOf(socket);
    // A connection that cannot be identified is not served, since a guess could be wrong.
    if (facts === undefined) socket.destroy();
    else accept(socket, facts.told);
  });
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const transport = new StreamTransport(socket);
    gate.admit(transport, (told, rest) => {
      const below = transport.intoSocket(rest);
      under.set(below, { told, ends: endsOf(below) });
      if (told !== undefined) toldOf.set(below, told);
      // The secure socket reports its errors.
      below.once('close', () => under.delete(below)).on('error', () => {});
      inner.emit('connection', below);
    });
  });
}
