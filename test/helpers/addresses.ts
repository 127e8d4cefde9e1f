/** Addresses as log lines name them: '127.0.0.1:8080', '[::1]:80', 'unix:/path', 'fd:3', with 'tls:' in front for TLS. */
export interface Address {
  tls: boolean;
  host?: string;
  port?: number;
  path?: string;
}

export function parseAddress(text: string): Address {
  const tls = text.startsWith('tls:');
  const plain = tls ? text.slice('tls:'.length) : text;
  if (plain.startsWith('unix:')) return { tls, path: plain.slice('unix:'.length) };
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(plain);
  if (!match) throw new Error(`not an address: ${text}`);
  return { tls, host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

/** 'http://127.0.0.1:8080' of a TCP address. */
export function urlOf({ tls, host, port, path }: Address): string {
  if (port === undefined) throw new Error(`no URL for ${path ?? 'this address'}`);
  const name = host?.includes(':') ? `[${host}]` : host;
  return `${tls ? 'https' : 'http'}://${name}:${port}`;
}
