/** What a person who started evy on a terminal wants to know: where it listens, and how to reload and stop it. */

export interface BannerFacts {
  /** addresses as the master names them: '127.0.0.1:8080', 'tls:[::]:443', 'unix:/run/app.sock' */
  addresses: readonly string[];
  workers: number;
  masterPid: number;
}

/** Every address of the machine; a browser cannot open these, but localhost is one of them. */
const everywhere = /^(0\.0\.0\.0|\[::\])(?=:)/;

/** 'http://127.0.0.1:8080/' for what a browser can open, the address itself for the rest. */
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
