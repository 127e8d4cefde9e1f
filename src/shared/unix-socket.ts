/**
 * The file of a unix socket. A process that was killed leaves its file behind; whether somebody still listens is
 * told by connecting, not by the file's presence (unix(7): ECONNREFUSED when nobody does).
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

/** The error code of a connect, or undefined when somebody accepted it. */
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
 * @throws {EvyError} ADDRESS_IN_USE when somebody listens there or it is another kind of file, ADDRESS_NOT_PERMITTED
 */
export async function clearSocketPath(path: string, given: string): Promise<void> {
  // bind(2) says ENOENT, which libuv turns into EACCES.
  const folder = dirname(path);
  if (!existsSync(folder)) throw new EvyError('LISTEN_FAILED', `${given}: the folder ${folder} does not exist`);
  const found = look(path);
  if (!found) return;
  if (!found.isSocket)
    throw new EvyError('ADDRESS_IN_USE', `${given}: ${path} exists and is not a socket, so it is not replaced`);
  const code = await tryConnect(path);
  if (code === 'EACCES' || code === 'EPERM')
    throw new EvyError('ADDRESS_NOT_PERMITTED', `${given}: the socket ${path} belongs to another user`);
  // EAGAIN: its queue is full, so somebody listens.
  if (code !== 'ECONNREFUSED' && code !== 'ENOENT')
    throw new EvyError('ADDRESS_IN_USE', `${given}: another process already listens on ${path}`);
  rmSync(path, { force: true });
}

/**
 * Remembers which file was bound, and removes that one only. Returns false when another process has taken the path over
 * in the meantime: closing the handle that was bound to it would remove that one's file, since libuv unlinks by name.
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
      // The folder is gone or no longer ours: there is nothing to tidy.
    }
    return true;
  };
}
