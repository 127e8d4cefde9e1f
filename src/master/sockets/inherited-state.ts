/**
 * The listening sockets that a master inherits from the previous one, as descriptors from 4 on without a gap (Node sets
 * close-on-exec up to the first gap). An environment variable has their names.
 *
 * The variable also has the pid of the previous master. Every process below that master inherits the variable, but it is meant
 * for the direct child alone: in any other process descriptor 4 is something else.
 */
import { resolve } from 'node:path';
import { EvyError } from '../../shared/errors.ts';
import { isSocketDescriptor } from '../../shared/file-status.ts';
import { mostWorkers } from '../../shared/options/worker-range.ts';
import type { WorkerRange } from '../../shared/options/worker-range.ts';
import { formatBind } from './bind-address.ts';
import type { Bind } from './bind-address.ts';

export const inheritedStateVariable = 'EVY_LISTENERS';
/** After stdin, stdout, stderr and the channel between the two masters. */
const firstInheritedSocketFd = 4;
/** Rises when the variable or the messages between masters change in a way that an older evy does not understand. */
const version = 1;

/** Names an address independent of what is spoken on it: '127.0.0.1:0', 'unix:/run/app.sock', 'fd:3'. */
export function bindKey(bind: Bind): string {
  const plain: Bind =
    bind.kind === 'unix' ? { ...bind, path: resolve(bind.path), tls: false } : { ...bind, tls: false };
  return formatBind(plain);
}

/** A listening socket that the previous master has opened. */
export interface InheritedSocket {
  /** its address as configured */
  readonly key: string;
  /** its actual address */
  readonly name: string;
  readonly fd: number;
}
type SocketNames = Omit<InheritedSocket, 'fd'>;

/** The configured number of workers, and the number that is wanted, which a person or the load may have changed. */
export interface CrewSize {
  readonly configured: WorkerRange;
  readonly wanted: number;
}

/** The contents of the variable. */
export interface InheritedState {
  /** process id of the previous master */
  readonly from: number;
  /** undefined when sent by an older evy */
  readonly crew?: CrewSize | undefined;
  readonly sockets: readonly InheritedSocket[];
}

export function formatInheritedState(sockets: readonly SocketNames[], from: number, crew?: CrewSize): string {
  return JSON.stringify({ version, from, sockets: sockets.map(({ key, name }) => ({ key, name })), crew });
}

function areSocketNames(value: unknown): value is SocketNames {
  const { key, name } = (value ?? {}) as Partial<SocketNames>;
  return typeof key === 'string' && typeof name === 'string';
}

function isCrewSize(value: unknown): value is CrewSize {
  const { configured, wanted } = (value ?? {}) as Partial<CrewSize>;
  const isCount = (count: unknown) => Number.isInteger(count) && Number(count) >= 1 && Number(count) <= mostWorkers;
  return isCount(configured?.least) && isCount(configured?.most) && isCount(wanted);
}

/**
 * Returns undefined when this process has inherited nothing.
 * @throws {EvyError} UPGRADE_FAILED when the variable or a descriptor is invalid
 */
export function parseInheritedState(
  text: string | undefined,
  parent: number,
  looksRight: (fd: number) => boolean = isSocketDescriptor,
): InheritedState | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new EvyError('UPGRADE_FAILED', `${inheritedStateVariable}: ${why}`);
  };
  let value: { version?: unknown; from?: unknown; sockets?: unknown; crew?: unknown };
  try {
    value = (JSON.parse(text) ?? {}) as typeof value;
  } catch {
    return refuse('the value must be JSON');
  }
  if (value.from !== parent) return undefined;
  if (value.version !== version)
    return refuse('the value is from a version of evy that this one cannot take over from; restart instead');
  if (!Array.isArray(value.sockets) || !value.sockets.every(areSocketNames))
    return refuse('the value names no sockets');
  const sockets = value.sockets.map(({ key, name }, index) => ({ key, name, fd: firstInheritedSocketFd + index }));
  for (const { name, fd } of sockets) if (!looksRight(fd)) refuse(`descriptor ${fd} (${name}) is not a socket`);
  return isCrewSize(value.crew) ? { from: parent, sockets, crew: value.crew } : { from: parent, sockets };
}

/** The inherited sockets that no address of the configuration has claimed yet. */
export class InheritedSockets {
  readonly #unclaimed: Map<string, InheritedSocket>;

  constructor(inherited: InheritedState | undefined) {
    this.#unclaimed = new Map(inherited?.sockets.map((socket) => [socket.key, socket]));
  }

  /** Returns the inherited socket of an address: one with the same key, or one that listens there. */
  claim(key: string): { fd: number; key: string } | undefined {
    const found = this.#unclaimed.get(key) ?? [...this.#unclaimed.values()].find(({ name }) => name === key);
    if (found === undefined) return undefined;
    this.#unclaimed.delete(found.key);
    return { fd: found.fd, key: found.key };
  }

  /** Returns the descriptors that no address has claimed. */
  claimRest(): number[] {
    const rest = [...this.#unclaimed.values()].map(({ fd }) => fd);
    this.#unclaimed.clear();
    return rest;
  }
}
