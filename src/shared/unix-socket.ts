/**
 * The file of a unix socket. A killed process leaves its file behind, so only a connect shows whether anything still
 * listens (ECONNREFUSED when nothing does, unix(7)).
 */
import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { EvyError } from './errors.ts';
import { linkStatusOf } from './file-status.ts';

interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

function look(path: string): { isSocket: boolean; identity: FileIdentity } | undefined {
  const stats = linkStatusOf(path);
  return stats && { isSocket: stats.isSocket(), identity: { device: stats.dev, inode: stats.ino } };
}

/** Resolves with the error code of a connect, or undefined when it succeeded. */
function tryConnect(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}

/**
 * Removes a stale socket file, so that the path can be bound.
 * @throws {EvyError} ADDRESS_IN_USE when another process listens on it or it is no socket, ADDRESS_NOT_PERMITTED
 */
export async function clearSocketPath(path: string, given: string): Promise<void> {
  // bind(2) reports ENOENT, which libuv turns into EACCES.
  const folder = dirname(path);
  if (!existsSync(folder)) throw new EvyError('LISTEN_FAILED', `${given}: the folder ${folder} does not exist`);
  const found = look(path);
  if (!found) return;
  if (!found.isSocket)
    throw new EvyError('ADDRESS_IN_USE', `${given}: ${path} exists and is not a socket, so it is not replaced`);
  const code = await tryConnect(path);
  if (code === 'EACCES' || code === 'EPERM')
    throw new EvyError('ADDRESS_NOT_PERMITTED', `${given}: the socket ${path} belongs to another user`);
  // EAGAIN means that a listener's queue is full.
  if (code !== 'ECONNREFUSED' && code !== 'ENOENT')
    throw new EvyError('ADDRESS_IN_USE', `${given}: another process already listens on ${path}`);
  rmSync(path, { force: true });
}

/**
 * Remembers which file was bound, and removes only that one. Returns false when another process has bound the path
 * since: closing our handle would then remove the other process's file, since libuv unlinks by name.
 */
export function socketFileRemover(path: string): () => boolean {
  const bound = look(path)?.identity;
  return () => {
    try {
      const current = look(path)?.identity;
      if (current === undefined) return true;
      if (current.inode !== bound?.inode || current.device !== bound.device) return false;
      rmSync(path, { force: true });
    } catch {
      // The folder is gone or not accessible any more.
    }
    return true;
  };
}
