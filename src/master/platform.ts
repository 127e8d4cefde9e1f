/** Where evy runs. Linux is the platform; macOS does for development; on Windows there is nothing to inherit sockets with. */
import { EvyError } from '../shared/errors.ts';

/** A word for the log where something may be missing. @throws {EvyError} UNSUPPORTED_PLATFORM */
export function checkPlatform(platform: NodeJS.Platform): { note?: string } {
  if (platform === 'linux') return {};
  if (platform === 'darwin') return { note: 'macOS is supported for development only' };
  throw new EvyError('UNSUPPORTED_PLATFORM', `evy runs on Linux, and on macOS for development; this is ${platform}`);
}
