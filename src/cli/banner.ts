/** The text that evy prints at its start on a terminal: where it listens, and how to reload and stop it. */

export interface BannerFacts {
  /** addresses in the master's notation: '127.0.0.1:8080', 'tls:[::]:443', 'unix:/run/app.sock' */
  addresses: readonly string[];
  workers: number;
  masterPid: number;
}

/** Wildcard addresses. A browser cannot open these, so the banner shows localhost instead. */
const everywhere = /^(0\.0\.0\.0|\[::\])(?=:)/;

/** Returns 'http://127.0.0.1:8080/' for an address that a browser can open, and any other address unchanged. */
export function addressUrl(address: string): string {
  const tls = address.startsWith('tls:');
  const plain = tls ? address.slice('tls:'.length) : address;
  if (/^(unix|fd):/.test(plain)) return address;
  const url = `${tls ? 'https' : 'http'}://${plain.replace(everywhere, 'localhost')}/`;
  return everywhere.test(plain) ? `${url} (all interfaces)` : url;
}

export function banner({ addresses, workers, masterPid }: BannerFacts): string {
  const processes = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  return [
    '',
    `  evy serves on ${addresses.map(addressUrl).join(' and ')} with ${processes}`,
    `  reload: kill -HUP ${masterPid}`,
    `  stop:   Ctrl-C, or kill ${masterPid}`,
    '',
    '',
  ].join('\n');
}
