/** Parses the option `accessLog`, the destination of access lines. Pure. */
export type AccessTarget =
  | { kind: 'off' }
  | { kind: 'stdout' }
  | { kind: 'file'; path: string }
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number };

const hostAndPort = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/;

/** Accepts `off`, `-`, `unix:path`, `tcp:host:port`, or a file; undefined for anything else. */
export function parseAccessTarget(text: string): AccessTarget | undefined {
  if (text === 'off') return { kind: 'off' };
  if (text === '-') return { kind: 'stdout' };
  if (text.startsWith('unix:')) return text.length > 5 ? { kind: 'unix', path: text.slice(5) } : undefined;
  if (!text.startsWith('tcp:')) return text === '' ? undefined : { kind: 'file', path: text };
  const match = hostAndPort.exec(text.slice(4));
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  return { kind: 'tcp', host: match[1] ?? match[2]!, port };
}

/** Whether `text` is a valid path of `accessLogSkip`: absolute, with a star only at its end. */
export function isSkipPattern(text: string): boolean {
  return /^\/[^*?#\s]*\*?$/.test(text);
}
