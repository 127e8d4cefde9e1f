/**
 * Which losses are a process's death and which are the server's fault. A client's connection may end without a word only when
 * a process that was killed held it at that moment.
 */
import type { UnexplainedEnd } from '../helpers/hammer.ts';

/** A process that was killed, or that the server may kill, and the clients' ports that it held. */
export interface Death {
  pid: number;
  atMs: number;
  ports: ReadonlySet<number>;
}

/** A port is used anew later on: the death has to lie within the connection's life. */
const isExplained = ({ port, openedAtMs, endedAtMs }: UnexplainedEnd, deaths: readonly Death[]): boolean =>
  deaths.some(({ atMs, ports }) => ports.has(port) && openedAtMs <= atMs && atMs <= endedAtMs);

/** The ends that no death explains. */
export function faults(ends: readonly UnexplainedEnd[], deaths: readonly Death[]): UnexplainedEnd[] {
  return ends.filter((end) => !isExplained(end, deaths));
}

/** As a line of a report. */
export function faultText({ port, openedAtMs, endedAtMs, unanswered }: UnexplainedEnd): string {
  const age = `${((endedAtMs - openedAtMs) / 1000).toFixed(2)} s old`;
  if (port === 0) return 'a connection was refused';
  return `the connection from port ${port}, ${age}, ended with ${unanswered} requests under way, and no killed process held it`;
}
