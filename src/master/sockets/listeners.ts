/**
 * Opens the listening sockets before any worker starts. The master keeps them open until it exits, so connections wait
 * in the kernel's queue even when no worker lives.
 *
 * The master does not accept from them (shared/node-private). Where that is not possible, `accepting` listeners are
 * plain net.Servers, and accept-for-workers.ts sends their connections to workers.
 */
import { lookup } from 'node:dns/promises';
import { chmodSync, closeSync } from 'node:fs';
import { createServer, isIP } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { EvyError } from '../../shared/errors.ts';
import { isSocketDescriptor } from '../../shared/file-status.ts';
import { listenError } from '../../shared/listen-error.ts';
import type { Logger } from '../../shared/log/log.ts';
import { isTcp, listenUnpolled } from '../../shared/node-private/node-private.ts';
import type { ListenTarget } from '../../shared/node-private/node-private.ts';
import { clearSocketPath, socketFileRemover } from '../../shared/unix-socket.ts';
import { formatBind, formatHostPort } from './bind-address.ts';
import type { Bind, BoundAddress } from './bind-address.ts';
import { bindKey } from './inherited-state.ts';
import type { InheritedSockets } from './inherited-state.ts';
import { orphansHolding } from './orphan-holders.ts';

export interface Listener {
  /** its address as configured (see bindKey) */
  readonly key: string;
  readonly address: BoundAddress;
  readonly backlog: number;
  /** inherited by workers; undefined when the master accepts */
  readonly fd?: number;
  /** present when the master accepts */
  readonly server?: Server;
  close(): void;
  /** Closes only this process's copy: another process serves the socket, and its file stays. */
  detach(): void;
  /** whether the previous master has opened it */
  readonly isInherited: boolean;
}

/** An address, and how the user wrote it for messages: '--bind :8080', '--host x --port 1'. */
export interface GivenBind {
  readonly bind: Bind;
  readonly given: string;
}

export interface ListenSettings {
  readonly backlog: number;
  readonly unixMode: number;
  /** which sockets workers can inherit; the master accepts from the others */
  readonly workersInherit: Readonly<Record<'tcp' | 'unix', boolean>>;
  readonly logger?: Logger;
}

/** An address, and the inherited socket for it, if there is one. */
interface Place {
  readonly key: string;
  readonly target: ListenTarget;
  readonly tls: boolean;
  /** a descriptor that this process must close, with its file */
  readonly inheritedFd?: number;
}

async function targetOf({ bind, given }: GivenBind, unixMode: number): Promise<ListenTarget> {
  if (bind.kind === 'fd') {
    if (!isSocketDescriptor(bind.fd))
      throw new EvyError('BAD_BIND', `${given}: descriptor ${bind.fd} must be a socket`);
    return { kind: 'fd', fd: bind.fd };
  }
  if (bind.kind === 'unix') {
    const path = resolve(bind.path);
    await clearSocketPath(path, given);
    return { kind: 'unix', path, onBound: () => chmodSync(path, unixMode) };
  }
  const literal = isIP(bind.host);
  if (literal !== 0) return { kind: 'tcp', address: bind.host, port: bind.port, family: literal === 6 ? 6 : 4 };
  const { address, family } = await lookup(bind.host);
  return { kind: 'tcp', address, port: bind.port, family: family === 6 ? 6 : 4 };
}

function describe(
  target: ListenTarget,
  tls: boolean,
  found: { kind: 'tcp' | 'unix'; address?: { address: string; port: number } },
): BoundAddress {
  if (found.kind === 'tcp' && found.address) {
    const { address: host, port } = found.address;
    return { name: formatHostPort(host, port), kind: 'tcp', tls, host, port };
  }
  if (target.kind === 'unix') return { name: `unix:${target.path}`, kind: 'unix', tls, path: target.path };
  return { name: formatBind({ ...(target as { kind: 'fd'; fd: number }), tls: false }), kind: found.kind, tls };
}

/** A second close must be harmless, since the path may belong to another process by then. */
function once(close: () => void): () => void {
  let open = true;
  return () => {
    if (open) close();
    open = false;
  };
}

async function openForWorkers({ key, target, tls, inheritedFd }: Place, backlog: number): Promise<Listener> {
  const given: ListenTarget = inheritedFd === undefined ? target : { kind: 'fd', fd: inheritedFd };
  const socket = await listenUnpolled(given, backlog);
  const removeFile = target.kind === 'unix' ? socketFileRemover(target.path) : () => true;
  // A descriptor given in the option `bind` belongs to the process that opened it: a service manager, or the program
  // that embeds this master.
  const isOurs = given.kind !== 'fd' || inheritedFd !== undefined;
  const close = once(() => {
    if (removeFile() && isOurs) socket.close();
  });
  const detach = once(() => {
    // libuv removes a unix socket's file when it closes the socket that it has bound, so such a socket stays open until
    // this process exits.
    if (isOurs && given.kind !== 'unix') socket.close();
  });
  return {
    key,
    address: describe(target, tls, socket),
    backlog,
    fd: socket.fd,
    close,
    detach,
    isInherited: inheritedFd !== undefined,
  };
}

async function openAccepting({ key, target, tls, inheritedFd }: Place, backlog: number): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true });
  const where: ListenOptions & { fd?: number } =
    inheritedFd !== undefined
      ? { fd: inheritedFd }
      : target.kind === 'tcp'
        ? { host: target.address, port: target.port }
        : target.kind === 'unix'
          ? { path: target.path }
          : { fd: target.fd };
  await new Promise<void>((onListening, onError) => {
    server.once('error', onError);
    server.listen({ ...where, backlog, exclusive: true }, () => {
      server.off('error', onError);
      onListening();
    });
    // Node binds a path within listen(), so no client can have connected yet.
    if (target.kind === 'unix' && inheritedFd === undefined && server.listening) target.onBound?.();
  });
  server.on('error', () => {}); // libuv retries a failed accept (EMFILE)
  const info = server.address();
  const found =
    typeof info === 'object' && info !== null ? { kind: 'tcp' as const, address: info } : { kind: 'unix' as const };
  const close = once(() => void server.close()); // and libuv removes the file of a unix socket
  return {
    key,
    address: describe(target, tls, found),
    backlog,
    server,
    close,
    detach: close,
    isInherited: inheritedFd !== undefined,
  };
}

/** Closes a listener that this master cannot serve. The previous master still serves sockets that were inherited. */
export function giveUp(listener: Listener): void {
  if (listener.isInherited) listener.detach();
  else listener.close();
}

async function placeOf(
  one: GivenBind,
  settings: ListenSettings,
  inheritedSockets: InheritedSockets | undefined,
): Promise<Place> {
  const { bind } = one;
  const left = inheritedSockets?.claim(bindKey(bind));
  if (left === undefined) return { key: bindKey(bind), target: await targetOf(one, settings.unixMode), tls: bind.tls };
  const target: ListenTarget =
    bind.kind === 'unix'
      ? { kind: 'unix', path: resolve(bind.path) }
      : { kind: 'fd', fd: bind.kind === 'fd' ? bind.fd : left.fd };
  return { key: left.key, target, tls: bind.tls, inheritedFd: left.fd };
}

function kindOf({ target, inheritedFd }: Place): 'tcp' | 'unix' {
  if (target.kind !== 'fd') return target.kind;
  return isTcp(inheritedFd ?? target.fd) ? 'tcp' : 'unix';
}

/** How long, and how often, to try again while busy workers of a dead master hold the address. */
const orphansWithinMs = 10_000;
const againMs = 250;

const isInUse = (error: unknown): boolean =>
  ['EADDRINUSE', 'ADDRESS_IN_USE'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Waits for workers of a dead master to close the address. When any other process holds it, the start fails. */
async function openOne(
  one: GivenBind,
  settings: ListenSettings,
  inheritedSockets: InheritedSockets | undefined,
): Promise<Listener> {
  const open = async (): Promise<Listener> => {
    const place = await placeOf(one, settings, inheritedSockets);
    return (settings.workersInherit[kindOf(place)] ? openForWorkers : openAccepting)(place, settings.backlog);
  };
  const untilMs = performance.now() + orphansWithinMs;
  let isTold = false;
  for (let attemptsLeft = 2; ;) {
    try {
      return await open();
    } catch (error) {
      attemptsLeft -= 1;
      if (!isInUse(error) || performance.now() > untilMs) throw error;
      const workers = orphansHolding(one.bind);
      // The last one may close it between a failed attempt and this check, so a check that finds none allows one more attempt.
      if (workers.length > 0) attemptsLeft = 2;
      else if (attemptsLeft === 0) throw error;
      if (workers.length > 0 && !isTold) {
        const message = 'workers of a master that was killed still hold this address';
        settings.logger?.warn('master.waiting', { address: one.given, workers, message });
        isTold = true;
      }
      // Another case is a worker that had not begun to boot when its master died: it has no name yet, and exits soon.
      await setTimeout(againMs);
    }
  }
}

/**
 * Opens all or none, and closes the inherited sockets that no address asks for.
 * @throws {EvyError} ADDRESS_IN_USE, ADDRESS_NOT_PERMITTED, ADDRESS_NOT_AVAILABLE, LISTEN_FAILED or BAD_BIND
 */
export async function openListeners(
  binds: readonly GivenBind[],
  settings: ListenSettings,
  inheritedSockets?: InheritedSockets,
): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const one of binds) {
    try {
      listeners.push(await openOne(one, settings, inheritedSockets));
    } catch (error) {
      for (const listener of listeners) giveUp(listener);
      throw listenError(one.given, error);
    }
  }
  for (const fd of inheritedSockets?.claimRest() ?? []) closeSync(fd);
  return listeners;
}
