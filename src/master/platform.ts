/** Checks the platform: evy runs on Linux, and on macOS for development. On Windows sockets cannot be inherited. */
import { EvyError } from '../shared/errors.ts';
import { privateParts } from '../shared/node-private/node-private.ts';
import type { PrivateFaults, PrivatePart } from '../shared/node-private/node-private.ts';
import type { Bind } from './sockets/bind-address.ts';

/** Returns a note for the log where something may be missing. @throws {EvyError} UNSUPPORTED_PLATFORM */
export function checkPlatform(platform: NodeJS.Platform): { note?: string } {
  if (platform === 'linux') return {};
  if (platform === 'darwin') return { note: 'macOS is supported for development only' };
  throw new EvyError('UNSUPPORTED_PLATFORM', `evy runs on Linux, and on macOS for development; this is ${platform}`);
}

/** The parts of private API that serving these addresses would use. A descriptor may be a socket of either kind. */
export function neededParts(binds: ReadonlyArray<Pick<Bind, 'kind'>>): PrivatePart[] {
  const isNeeded: Partial<Record<PrivatePart, boolean>> = {
    tcpSockets: binds.some(({ kind }) => kind !== 'unix'),
    unixSockets: binds.some(({ kind }) => kind !== 'tcp'),
  };
  return privateParts.filter((part) => isNeeded[part] !== false);
}

/** What is done instead of each part of Node's private API that does not work, and what that costs. */
const costs: Readonly<Record<PrivatePart, string>> = {
  tcpSockets: 'the master accepts TCP connections for its workers, at several times the cost; it cannot be upgraded',
  unixSockets:
    'the master accepts connections to unix sockets for its workers, at several times the cost; it cannot be upgraded',
  moving: 'connections cannot move to another worker: a reload closes each after a response with Connection: close',
  rawConnections: 'each connection uses a socket of Node, which costs memory and CPU time',
  reset: 'a cut response ends like a complete one, so an HTTP/1.0 client cannot see that it is cut',
};

/** Makes a log line for each reason: what is missing, and what that costs. */
export function fallbacksOf(faults: PrivateFaults): Array<{ message: string; reason: string }> {
  const missing = privateParts.filter((part) => faults[part] !== undefined);
  const reasons = [...new Set(missing.map((part) => faults[part]!))];
  return reasons.map((reason) => ({
    message: missing
      .filter((part) => faults[part] === reason)
      .map((part) => costs[part])
      .join('; '),
    reason,
  }));
}
