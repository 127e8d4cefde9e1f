/**
 * Finds workers that hold an address although their master is dead. They close it as soon as their event loop turns,
 * which a long computation or a module that is being loaded delays. Linux shows the holders of a socket under /proc;
 * elsewhere, and for processes of other users, none are found.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Bind } from './bind-address.ts';

/** A worker's title as the kernel keeps it, cut to 15 bytes. */
const workerName = 'evy worker (gen';
/** the kernel's flag of a unix socket that listens, and its state of a TCP socket that does */
const unixListens = '00010000';
const tcpListens = '0A';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The columns of a kernel table, without its header line. */
const rowsOf = (path: string): string[][] =>
  read(path)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

function listeningInodes(bind: Bind): Array<string | undefined> {
  if (bind.kind === 'fd') return [];
  if (bind.kind === 'unix') {
    const wanted = resolve(bind.path);
    return rowsOf('/proc/net/unix')
      .filter(([, , , flags, , , , path]) => flags === unixListens && path === wanted)
      .map((row) => row[6]);
  }
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap(rowsOf)
    .filter(([, local, , state]) => state === tcpListens && parseInt(local!.split(':')[1]!, 16) === bind.port)
    .map((row) => row[9]);
}

function holds(pid: number, sockets: ReadonlySet<string>): boolean {
  return entries(`/proc/${pid}/fd`).some((fd) => {
    try {
      return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false;
    }
  });
}

/** Name and parent of a process, from "pid (name) state parent ..." (proc_pid_stat(5)); the name may contain anything. */
function nameAndParent(pid: number): { name: string; parent: number } {
  const stat = read(`/proc/${pid}/stat`);
  const end = stat.lastIndexOf(')');
  return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(stat.slice(end + 2).split(' ')[1]) };
}

/** The pids of workers that hold the address and whose master is dead: a living master would hold the address too. */
export function orphansHolding(bind: Bind): number[] {
  // As /proc names them: 'socket:[4711]'.
  const sockets = new Set(listeningInodes(bind).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return [];
  return entries('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && holds(pid, sockets))
    .filter((pid) => {
      const { name, parent } = nameAndParent(pid);
      return name === workerName && !holds(parent, sockets);
    });
}
