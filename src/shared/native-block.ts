/**
 * The state of a main thread in native code: whether it uses a processor, and its child processes, since execSync is
 * the usual cause. From /proc; undefined on other systems.
 */
import { readFileSync } from 'node:fs';
import type { NativeBlock } from './protocol/messages.ts';

/** The state of a process or thread in /proc/.../stat: the letter behind its name, which may contain anything. */
export function threadState(stat: string): NativeBlock['state'] {
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'R' ? 'computing' : 'waiting';
}

/** The processor time of a main thread so far, in the system's clock ticks, and the letter of its state. */
export interface ThreadUse {
  readonly ticks: number;
  readonly state: string;
}

/** Undefined without /proc, or when the process has exited. */
export function mainThreadUse(pid: number): ThreadUse | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8');
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, ticks: Number(fields[10]) + Number(fields[11]) };
  } catch {
    return undefined;
  }
}

/**
 * Whether a main thread whose timers are late is blocked, judged by two samples: it computes, or waits in a system
 * call. A stopped thread, or one that gets no processor time, is not blocked.
 */
export function isBlocked(before: ThreadUse | undefined, now: ThreadUse | undefined): boolean {
  if (before === undefined || now === undefined || /[TtZX]/.test(now.state)) return false;
  return now.state !== 'R' || now.ticks > before.ticks;
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
export function nativeBlock(pid = process.pid): NativeBlock | undefined {
  const task = `/proc/${pid}/task/${pid}`;
  try {
    const state = threadState(readFileSync(`${task}/stat`, 'utf8'));
    return { state, children: childrenOf(task) };
  } catch {
    return undefined;
  }
}
