/**
 * What a master leaves to the one that takes its place: its listening sockets, as descriptors from 4 on without a gap (Node sets
 * close-on-exec up to the first one), and their names in a variable.
 *
 * The variable says whom it is from. It reaches every child of a process, and is meant for the one whose parent that is;
 * elsewhere descriptor 4 is something else altogether.
 */
import { resolve } from 'node:path';
import { EvyError } from '../../shared/errors.ts';
import { mostWorkers } from '../../shared/options/worker-range.ts';
import type { WorkerRange } from '../../shared/options/worker-range.ts';
import { formatBind } from './bind-address.ts';
import type { Bind } from './bind-address.ts';
import { isSocketDescriptor } from '../../shared/file-status.ts';

export const inheritanceVariable = 'EVY_LISTENERS';
/** After stdin, stdout, stderr and the channel between the two masters. */
export const firstLegacyFd = 4;
/** Rises when the variable or the messages between masters change in a way that an older evy does not understand. */
const version = 1;

/** Names an address whatever is spoken there: '127.0.0.1:0', 'unix:/run/app.sock', 'fd:3'. */
export function bindKey(bind: Bind): string {
  const plain: Bind =
    bind.kind === 'unix' ? { ...bind, path: resolve(bind.path), tls: false } : { ...bind, tls: false };
  return formatBind(plain);
}

/** A listening socket, as far as another process needs to know it. */
export interface Heirloom {
  /** its address as it was asked for */
  readonly key: string;
  /** where it really listens */
  readonly name: string;
}

/** How many workers the configuration says, and how many there are to be: by hand, or by the load. */
export interface CrewSize {
  readonly configured: WorkerRange;
  readonly wanted: number;
}

export interface Legacy {
  /** process id of the master before */
  readonly from: number;
  /** undefined from an evy that does not tell */
  readonly crew?: CrewSize | undefined;
  readonly sockets: ReadonlyArray<Heirloom & { readonly fd: number }>;
}

export function formatLegacy(sockets: readonly Heirloom[], from: number, crew?: CrewSize): string {
  return JSON.stringify({ version, from, sockets: sockets.map(({ key, name }) => ({ key, name })), crew });
}

function isHeirloom(value: unknown): value is Heirloom {
  const { key, name } = (value ?? {}) as Partial<Heirloom>;
  return typeof key === 'string' && typeof name === 'string';
}

function isCrewSize(value: unknown): value is CrewSize {
  const { configured, wanted } = (value ?? {}) as Partial<CrewSize>;
  const isCount = (count: unknown) => Number.isInteger(count) && Number(count) >= 1 && Number(count) <= mostWorkers;
  return isCount(configured?.least) && isCount(configured?.most) && isCount(wanted);
}

/**
 * Undefined when nothing was left to this process.
 * @throws {EvyError} UPGRADE_FAILED when it is not what it should be
 */
export function parseLegacy(
  text: string | undefined,
  parent: number,
  looksRight: (fd: number) => boolean = isSocketDescriptor,
): Legacy | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new EvyError('UPGRADE_FAILED', `${inheritanceVariable}: ${why}`);
  };
  let value: { version?: unknown; from?: unknown; sockets?: unknown; crew?: unknown };
  try {
    value = (JSON.parse(text) ?? {}) as typeof value;
  } catch {
    return refuse('is not JSON');
  }
  if (value.from !== parent) return undefined;
  if (value.version !== version) return refuse('comes from an evy that this one does not understand; restart instead');
  if (!Array.isArray(value.sockets) || !value.sockets.every(isHeirloom)) return refuse('names no sockets');
  const sockets = value.sockets.map(({ key, name }, index) => ({ key, name, fd: firstLegacyFd + index }));
  for (const { name, fd } of sockets) if (!looksRight(fd)) refuse(`descriptor ${fd} (${name}) is not a socket`);
  return isCrewSize(value.crew) ? { from: parent, sockets, crew: value.crew } : { from: parent, sockets };
}

/** What is left of it, while the addresses of a new configuration take what they need. */
export class Estate {
  readonly #left: Map<string, Heirloom & { readonly fd: number }>;

  constructor(legacy: Legacy | undefined) {
    this.#left = new Map(legacy?.sockets.map((socket) => [socket.key, socket]));
  }

  /** The descriptor of an address: asked for in the same words, or where a socket listens in fact. */
  take(key: string): { fd: number; key: string } | undefined {
    const found = this.#left.get(key) ?? [...this.#left.values()].find(({ name }) => name === key);
    if (found === undefined) return undefined;
    this.#left.delete(found.key);
    return { fd: found.fd, key: found.key };
  }

  /** Descriptors that nothing wants. */
  takeRest(): number[] {
    const rest = [...this.#left.values()].map(({ fd }) => fd);
    this.#left.clear();
    return rest;
  }
}
