/**
 * The host names that this server answers for (option allowedHosts). Names are few and spelled the same again and again, so
 * the spellings that passed are remembered: one look into a set per request. What is refused is not, as there is no end to it.
 */
const maxKnown = 1024;
const hostAndPort = /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/;

/** Without port and without the final dot of an absolute name, in lower case. */
function hostName(host: string): string {
  return (hostAndPort.exec(host)?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  /** '.example.com' */
  readonly #domains: readonly string[];
  readonly #known = new Set<string>();

  /** `.example.com` is example.com and everything below it. */
  constructor(allowed: readonly string[]) {
    this.#domains = allowed.filter((name) => name.startsWith('.'));
    this.#names = new Set(allowed.map((name) => (name.startsWith('.') ? name.slice(1) : name)));
  }

  /** Whether a Host, or the authority of a target, names one of them. */
  allows(host: string): boolean {
    if (this.#known.has(host)) return true;
    const name = hostName(host);
    if (!this.#names.has(name) && !this.#domains.some((domain) => name.endsWith(domain))) return false;
    // A copy of its own: the text received is a slice that would keep the whole chunk alive.
    if (this.#known.size < maxKnown) this.#known.add(Buffer.from(host, 'latin1').toString('latin1'));
    return true;
  }
}
