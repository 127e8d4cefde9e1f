/**
 * Node's own messages on the channel between a master and its workers: those whose `cmd` begins with `NODE_`. Node trusts them, and
 * throws, in whichever process gets one, when they are not as it sends them. So they are checked at both ends. Pure.
 */
const prefix = 'NODE_';

/** As Node itself decides it. */
export function isInternal(message: unknown): message is Readonly<Record<string, unknown>> & { readonly cmd: string } {
  const cmd = (message as { cmd?: unknown } | null | undefined)?.cmd;
  return typeof message === 'object' && typeof cmd === 'string' && cmd.length > prefix.length && cmd.startsWith(prefix);
}

/** All that the primary's side of node:cluster looks at; it works with each as with a primitive. */
const clusterFields = ['act', 'ack', 'key', 'address', 'port', 'addressType', 'fd', 'index', 'flags', 'backlog'];

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** Whether node:cluster sends such messages: what its worker's side says to the primary. */
export function isFromCluster(message: Readonly<Record<string, unknown>>): boolean {
  const { cmd, seq, act, ack } = message;
  if (cmd !== 'NODE_CLUSTER' || !Number.isSafeInteger(seq)) return false;
  if (ack !== undefined ? !Number.isSafeInteger(ack) : typeof act !== 'string') return false;
  if (act === 'queryServer' && !Number.isSafeInteger(message['index'])) return false;
  return clusterFields.every((name) => isPrimitive(message[name]));
}

/** What becomes of an internal message that a worker has sent; undefined when Node's own handling is to take it. */
export type Verdict =
  | { readonly refuse: 'descriptor'; readonly seq: number; readonly data: unknown }
  | { readonly fault: string };

export function verdictOn(message: unknown): Verdict | undefined {
  if (!isInternal(message)) return undefined;
  const { cmd, act, fd, seq, data } = message;
  if (cmd === 'NODE_CLUSTER') {
    if (!isFromCluster(message)) return { fault: 'it sent a NODE_CLUSTER message that Node does not send' };
    // A descriptor by its number would be the master's of that number, such as its end of another worker's channel.
    const byNumber = act === 'queryServer' && typeof fd === 'number' && fd >= 0;
    return byNumber ? { refuse: 'descriptor', seq: seq as number, data } : undefined;
  }
  // Other kinds would be made a server or a socket here, which begins to accept or to read.
  if (cmd === 'NODE_HANDLE' && (message['type'] !== 'net.Native' || isInternal(message['msg'])))
    return { fault: 'it sent something other than a connection that moves' };
  return undefined;
}
