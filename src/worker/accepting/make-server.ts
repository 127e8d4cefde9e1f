/**
 * Makes the net or TLS server of a listening socket. Its connections go to the loop, through the gate for PROXY headers
 * where there is one.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { nodeTls } from '../../shared/lazy-node.ts';
import type { TlsOptions } from 'node:tls';
import { acceptRaw, isConnectionOver } from '../../shared/node-private/node-private.ts';
import type { LocalEnd, Transport } from '../../shared/node-private/node-private.ts';
import type { ConnectionFacts, ToldPeer } from '../transport/peer.ts';
import type { ProxyGate } from '../proxies/proxy-gate.ts';
import { frontOf } from '../proxies/tls-front.ts';
import { StreamTransport } from '../transport/stream-transport.ts';
import { Intake } from './intake.ts';

/** The loop that accepted connections go to: evy's own, or that of node:http. */
export interface Acceptor {
  accept(transport: Transport, facts: ConnectionFacts): void;
  /** Whether it accepts connections that are not sockets. */
  readonly takesRaw: boolean;
  /** Where connections wait for a PROXY header; undefined when no peer has to send one. */
  readonly proxyGate?: ProxyGate | undefined;
}

/** The limit of a TLS handshake. */
const handshakeTimeoutMs = 10_000;

/** Makes a server that is not listening yet. Its clients may shut down their side and still get their responses. */
export function makeServer(tls: TlsOptions | undefined, acceptor: Acceptor, intake = new Intake()): Server {
  const server = tls === undefined ? makePlainServer(acceptor, intake) : makeTlsServer(tls, acceptor, intake);
  server.on('connection', intake.noteAccepted);
  // A connection that cannot be accepted concerns only its client. Errors of listening itself reach the code that waits for it.
  server.on('error', () => {});
  return server;
}

type AcceptPlain = (transport: Transport, local?: LocalEnd) => void;

function makePlainServer(acceptor: Acceptor, intake: Intake): Server {
  const serve = plainAccept(acceptor);
  const accept: AcceptPlain = (transport, local) => {
    if (intake.holdsBack) intake.keep(transport, () => serve(transport, local));
    else serve(transport, local);
  };
  const acceptHandle: AcceptPlain = (transport, local) => {
    intake.noteAccepted();
    accept(transport, local);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(new StreamTransport(socket)));
  if (acceptor.takesRaw) server.once('listening', () => acceptRaw(server, acceptHandle));
  return server;
}

function plainAccept(acceptor: Acceptor): AcceptPlain {
  const { proxyGate } = acceptor;
  if (proxyGate === undefined) return (transport, local) => acceptor.accept(transport, { scheme: 'http', local });
  return (transport, local) => {
    proxyGate.admit(transport, (told, rest) => acceptor.accept(transport, { scheme: 'http', local, told, rest }));
  };
}

function makeTlsServer(tls: TlsOptions, acceptor: Acceptor, intake: Intake): Server {
  const server = nodeTls().createServer({
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    ...tls,
    noDelay: true,
  } as TlsOptions);
  // A failed handshake concerns only its client.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const accept = (socket: Socket, told?: ToldPeer): void => {
    const transport = new StreamTransport(socket);
    const serve = (): void => acceptor.accept(transport, { scheme: 'https', told });
    if (intake.holdsBack) intake.keep(transport, serve);
    else serve();
  };
  const { proxyGate } = acceptor;
  // A peer that ends its side during the handshake will never finish it. After the handshake, it may end its side and still be served.
  server.prependListener('connection', (socket: Socket) => void (socket.allowHalfOpen = false));
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
    socket.on('end', destroyIfOver);
  });
  if (proxyGate !== undefined) return frontOf(server, proxyGate, accept);
  server.on('secureConnection', (socket) => accept(socket));
  return server;
}

/**
 * After a failed write of node:tls, such as that of a session ticket, a reset is reported as 'end' instead of an error,
 * and later writes never call back. So the connection is destroyed if it is over; a client that only shut down its side
 * keeps it.
 */
function destroyIfOver(this: Socket): void {
  if (isConnectionOver(this)) this.destroy();
}
