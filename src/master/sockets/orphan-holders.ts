/**
 * Workers that hold an address although their master is dead: they let go of it as soon as their event loop turns, which a long
 * computation, or a module that is being loaded, puts off. Linux tells it under /proc; elsewhere, and of other users' processes,
 * nothing is known and nobody is found.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { WantedAddress } from '../../shared/orphan-call.ts';

/** A worker's title, or the command line that it has before it is told what to serve. */
const workerCommand = /^evy worker|\/worker\/main\.[jt]s(\0|$)/;
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

/** The columns of a table of the kernel, without its headline. */
const rowsOf = (path: string): string[][] =>
  read(path)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

/** The listening sockets that may be in the way, as /proc names them: 'socket:[4711]'. */
function socketsOf(wanted: WantedAddress): ReadonlySet<string> {
  const inodes =
    'path' in wanted
      ? rowsOf('/proc/net/unix')
          .filter(([, , , flags, , , , path]) => flags === unixListens && path === wanted.path)
          .map((row) => row[6])
      : ['/proc/net/tcp', '/proc/net/tcp6']
          .flatMap(rowsOf)
          .filter(([, local, , state]) => state === tcpListens && parseInt(local!.split(':')[1]!, 16) === wanted.port)
          .map((row) => row[9]);
  return new Set(inodes.map((inode) => `socket:[${inode}]`));
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

/** The second field behind the name, which may have anything in it (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** The pids of those that hold it. One whose parent holds it, too, has a master. */
export function orphansHolding(wanted: WantedAddress): number[] {
  const sockets = socketsOf(wanted);
  if (sockets.size === 0) return [];
  return entries('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && workerCommand.test(read(`/proc/${pid}/cmdline`)))
    .filter((pid) => holds(pid, sockets) && !holds(parentOf(pid), sockets));
}
