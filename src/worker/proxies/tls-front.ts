/**
 * TLS behind the PROXY protocol. The header comes before the handshake, so a plain server accepts, the gate reads the header, and the
 * TLS server, which does not listen itself, goes on with the same socket and what came behind the header.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { socketBelow } from '../../shared/node-private/node-private.ts';
import { StreamTransport } from '../transport/stream-transport.ts';
import type { ProxyGate } from './proxy-gate.ts';
import type { ToldPeer } from '../transport/peer.ts';

/** what was told of the connections below TLS */
const toldOf = new WeakMap<Socket, ToldPeer>();

/** What a PROXY header told of the connection that this is the socket of. */
export function toldBehind(below: Socket): ToldPeer | undefined {
  return toldOf.get(below);
}

/** Both ends of a TCP connection, which no other one has at the same time; those of unix sockets are all alike. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** The server that is to listen. `accept` gets each connection when its handshake is done. */
export function frontOf(
  inner: TlsServer,
  gate: ProxyGate,
  accept: (socket: TLSSocket, told: ToldPeer | undefined) => void,
): Server {
  /** the sockets below those that `inner` has, with their ends */
  const under = new Map<Socket, { told: ToldPeer | undefined; ends: string }>();

  function factsOf(socket: TLSSocket): { told: ToldPeer | undefined } | undefined {
    const below = socketBelow(socket);
    if (below !== undefined) return under.get(below);
    const alike = [...under.values()].filter(({ ends }) => ends === endsOf(socket));
    return alike.length === 1 ? alike[0] : undefined;
  }

  inner.on('secureConnection', (socket) => {
    const facts = factsOf(socket);
    // Never a guess: one that cannot be told from others is not served.
    if (facts === undefined) socket.destroy();
    else accept(socket, facts.told);
  });
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const transport = new StreamTransport(socket);
    gate.admit(transport, (told, rest) => {
      const below = transport.intoSocket(rest);
      under.set(below, { told, ends: endsOf(below) });
      if (told !== undefined) toldOf.set(below, told);
      // What goes wrong with it the secure socket tells.
      below.once('close', () => under.delete(below)).on('error', () => {});
      inner.emit('connection', below);
    });
  });
}
