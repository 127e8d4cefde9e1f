/** A request of the option `warmup` as users write it: 'GET:/path', with the path already percent-encoded. */

export interface WarmUpRequest {
  readonly method: string;
  readonly path: string;
}

/** Token and target characters of RFC 9110 §5.6.2 and RFC 3986 §3.3; CONNECT has no path. */
const form = /^(?!CONNECT:)([!#$%&'*+\-.^_`|~\w]+):(\/[\x21\x24-\x7e]*)$/;

/** Returns undefined when the text does not have that form. */
export function parseWarmUpRequest(text: string): WarmUpRequest | undefined {
  const match = form.exec(text);
  return match === null ? undefined : { method: match[1]!, path: match[2]! };
}
