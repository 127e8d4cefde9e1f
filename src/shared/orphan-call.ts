/**
 * How a new master finds workers that serve on without one (option orphans), and asks them for an address. Each has a unix socket in a
 * folder that only this user can enter; a line goes to and fro. A descriptor cannot travel there, so they let go of the
 * address, and the master binds it right after that.
 */
import { mkdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { linkStatusOf } from './file-status.ts';

/** An address that somebody wants to bind. */
export type WantedAddress = { host: string; port: number } | { path: string };

/** An orphan lets go of all its addresses when one of them is wanted; otherwise it stays. */
export type OrphanAnswer = 'left' | 'stays';

export const orphanFolder = join(tmpdir(), `evy-orphans-${userInfo().uid}`);

/** Whether nobody else can put anything there. */
function isPrivate(folder: string): boolean {
  const found = linkStatusOf(folder);
  return found?.isDirectory() === true && Number(found.uid) === userInfo().uid && (found.mode & 0o077n) === 0n;
}

/** @throws {Error} when there is no such folder to be had */
export function makeOrphanFolder(folder = orphanFolder): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isPrivate(folder)) throw new Error(`${folder} can be entered by others`);
}

export function hasOrphanFolder(folder = orphanFolder): boolean {
  return isPrivate(folder);
}

export function formatWanted(address: WantedAddress): string {
  return `${JSON.stringify({ wanted: address })}\n`;
}

export function parseWanted(line: string): WantedAddress | undefined {
  try {
    const { wanted } = JSON.parse(line) as { wanted?: { host?: unknown; port?: unknown; path?: unknown } };
    if (typeof wanted?.port === 'number' && typeof wanted.host === 'string')
      return { host: wanted.host, port: wanted.port };
    return typeof wanted?.path === 'string' ? { path: wanted.path } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a listening socket, by its name as '127.0.0.1:8080' or 'unix:/run/app.sock', is in the way. */
export function isInTheWay(name: string, wanted: WantedAddress): boolean {
  if ('path' in wanted) return name === `unix:${wanted.path}`;
  if (name.startsWith('unix:') || !name.endsWith(`:${wanted.port}`)) return false;
  const host = name.slice(0, name.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const all = ['0.0.0.0', '::'];
  // A name may stand for any of them.
  return host === wanted.host || all.includes(host) || all.includes(wanted.host) || isIP(wanted.host) === 0;
}
