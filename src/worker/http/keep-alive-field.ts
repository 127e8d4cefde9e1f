/**
 * The `Keep-Alive` field of a response that keeps the connection: how long it may idle, and how many requests it still
 * takes. Clients that read it do not send into a connection that is about to close.
 */
interface Persistence {
  readonly keepaliveMs: number;
  /** 0 is unlimited */
  readonly maxRequestsPerConnection: number;
}

/** Whole lines; `requests` is what the connection has had. What is told is never longer than what is kept. */
export function keepAliveField(persistence: Persistence, requests: number): string {
  const { keepaliveMs, maxRequestsPerConnection: most } = persistence;
  const max = most > 0 ? `, max=${most - requests}` : '';
  // A field about this connection is named in Connection (RFC 9110 §7.6.1).
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepaliveMs / 1000)}${max}\r\n`;
}
