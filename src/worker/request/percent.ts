/** Percent-decoding of paths as PATH_INFO shows them (RFC 3986 §2.1): UTF-8, an invalid byte becomes U+FFFD. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Something is not UTF-8, or a '%' stands alone: what can be decoded is, the rest stays as it is.
    return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (octets) =>
      Buffer.from(octets.replaceAll('%', ''), 'hex').toString('utf8'),
    );
  }
}
