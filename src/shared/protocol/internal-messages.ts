/**
 * Checks Node's own messages on the channel between a master and its workers: those whose `cmd` begins with `NODE_`.
 * Node trusts them, and throws in the receiving process when they are malformed, so they are checked at both ends.
 * Pure.
 */
const prefix = 'NODE_';

/** The same test that Node uses. */
export function isInternal(message: unknown): message is Readonly<Record<string, unknown>> & { readonly cmd: string } {
  const cmd = (message as { cmd?: unknown } | null | undefined)?.cmd;
  return typeof message === 'object' && typeof cmd === 'string' && cmd.length > prefix.length && cmd.startsWith(prefix);
}

/** All fields that node:cluster reads in the primary; it treats each as a primitive. */
const clusterFields = ['act', 'ack', 'key', 'address', 'port', 'addressType', 'fd', 'index', 'flags', 'backlog'];

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** Whether node:cluster sends such messages from a worker to the primary. */
export function isFromCluster(message: Readonly<Record<string, unknown>>): boolean {
  const { cmd, seq, act, ack } = message;
  if (cmd !== 'NODE_CLUSTER' || !Number.isSafeInteger(seq)) return false;
  if (ack !== undefined ? !Number.isSafeInteger(ack) : typeof act !== 'string') return false;
  if (act === 'queryServer' && !Number.isSafeInteger(message['index'])) return false;
  return clusterFields.every((name) => isPrimitive(message[name]));
}

/** What to do with an internal message of a worker; undefined when Node should handle it. */
export type Verdict =
  | { readonly refuse: 'descriptor'; readonly seq: number; readonly data: unknown }
  | { readonly fault: string };

export function verdictOn(message: unknown): Verdict | undefined {
  if (!isInternal(message)) return undefined;
  const { cmd, act, fd, seq, data } = message;
  if (cmd === 'NODE_CLUSTER') {
    if (!isFromCluster(message)) return { fault: 'it sent a NODE_CLUSTER message that Node does not send' };
    // The master would use its own descriptor of that number, such as its end of another worker's channel.
    const byNumber = act === 'queryServer' && typeof fd === 'number' && fd >= 0;
    return byNumber ? { refuse: 'descriptor', seq: seq as number, data } : undefined;
  }
  // Node would turn other kinds into a server or a socket here, which begins to accept or to read.
  if (cmd === 'NODE_HANDLE' && (message['type'] !== 'net.Native' || isInternal(message['msg'])))
    return { fault: 'it sent something other than a connection that moves' };
  return undefined;
}
