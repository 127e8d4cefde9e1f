/** Where evy runs. Linux is the platform; macOS does for development; on Windows there is nothing to inherit sockets with. */
import { EvyError } from '../shared/errors.ts';
import type { PrivateApi } from '../shared/node-private/node-private.ts';

/** A word for the log where something may be missing. @throws {EvyError} UNSUPPORTED_PLATFORM */
export function checkPlatform(platform: NodeJS.Platform): { note?: string } {
  if (platform === 'linux') return {};
  if (platform === 'darwin') return { note: 'macOS is supported for development only' };
  throw new EvyError('UNSUPPORTED_PLATFORM', `evy runs on Linux, and on macOS for development; this is ${platform}`);
}

/** What is done instead where Node's private API does not do all that it is used for. Undefined when it does. */
export function fallbackOf({ inheritedSockets, moving, rawConnections }: PrivateApi): string | undefined {
  if (!inheritedSockets) return 'workers cannot inherit sockets here: the master accepts and hands connections over';
  if (!moving) return 'connections cannot move to another worker here: a reload ends each with an announced close';
  if (!rawConnections) return 'each connection needs a socket of Node here, which costs memory and time';
  return undefined;
}
