/**
 * The state of a main thread in native code: whether it uses a processor, and its child processes, since execSync is
 * the usual cause. From /proc; undefined on other systems.
 */
import { readFileSync } from 'node:fs';
import type { NativeBlock } from '../../shared/protocol/messages.ts';

/** The state of a process or thread in /proc/.../stat: the letter behind its name, which may contain anything. */
export function threadState(stat: string): NativeBlock['state'] {
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'R' ? 'computing' : 'waiting';
}

/** A command line from /proc, where each argument ends with NUL. */
export function commandText(cmdline: string): string {
  return cmdline.replace(/\0+$/, '').replaceAll('\0', ' ').slice(0, 200);
}

/** the most children that a report names */
const mostChildren = 20;

function childrenOf(task: string): string[] {
  const pids = readFileSync(`${task}/children`, 'utf8').split(' ').filter(Boolean).slice(0, mostChildren);
  return pids.map((pid) => {
    try {
      return `${pid} ${commandText(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))}`;
    } catch {
      return pid; // it has ended
    }
  });
}

/** The main thread has the number of the process. Undefined without /proc. */
export function nativeBlock(): NativeBlock | undefined {
  const task = `/proc/self/task/${process.pid}`;
  try {
    const state = threadState(readFileSync(`${task}/stat`, 'utf8'));
    return { state, children: childrenOf(task) };
  } catch {
    return undefined;
  }
}
