/**
 * Which clients a process holds: the peers' ports of the TCP connections among its descriptors. Exact for a process that is
 * stopped; this is how the runner knows whom a kill -9 may cost something. Linux only, as /proc is.
 */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { sendSignal } from '../helpers/processes.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Socket inode to peer's port, of the connections to this port. */
async function connectionsTo(port: number): Promise<Map<string, number>> {
  const [, ...lines] = (await readFile('/proc/net/tcp', 'latin1')).trimEnd().split('\n');
  const found = new Map<string, number>();
  const portOf = (address: string) => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
  for (const line of lines) {
    // sl, local address, peer's address, state, queues, timer, retransmissions, uid, timeout, inode (proc(5))
    const [, local = '', peer = '', state, , , , , , inode = ''] = line.trim().split(/ +/);
    const isListening = state === '0A';
    if (portOf(local) === port && !isListening) found.set(inode, portOf(peer));
  }
  return found;
}

export async function heldPorts(pid: number, serverPort: number): Promise<Set<number>> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const links = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  // After the descriptors: a connection among them is still there, or has ended by itself.
  const connections = await connectionsTo(serverPort);
  const inodes = links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '');
  return new Set(inodes.flatMap((inode) => connections.get(inode) ?? []));
}

/** The states of a process's threads (proc(5)); none of one that is gone. */
async function threadStates(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const stats = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'latin1').catch(() => '')),
  );
  return stats.filter((stat) => stat !== '').map((stat) => stat[stat.lastIndexOf(')') + 2]!);
}

export async function isStopped(pid: number): Promise<boolean> {
  return (await threadStates(pid)).includes('T');
}

/** Stops a process and waits until it is: all of its threads. False when it is gone. */
export async function stopProcess(pid: number): Promise<boolean> {
  sendSignal(pid, 'SIGSTOP');
  const outcome = async (): Promise<'stopped' | 'gone' | false> => {
    const states = await threadStates(pid);
    if (states.length === 0 || states.some((state) => 'ZX'.includes(state))) return 'gone';
    return states.every((state) => state === 'T') && 'stopped';
  };
  return (await waitFor(`process ${pid} to be stopped`, outcome)) === 'stopped';
}
