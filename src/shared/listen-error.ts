/** Converts an error of the operating system about a listening socket into an EvyError that names the address. */
import { EvyError, toError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EACCES: 'ADDRESS_NOT_PERMITTED',
  EPERM: 'ADDRESS_NOT_PERMITTED',
  EROFS: 'ADDRESS_NOT_PERMITTED',
  EADDRNOTAVAIL: 'ADDRESS_NOT_AVAILABLE',
  EAFNOSUPPORT: 'ADDRESS_NOT_AVAILABLE',
  ENOTFOUND: 'ADDRESS_NOT_AVAILABLE',
  EAI_AGAIN: 'ADDRESS_NOT_AVAILABLE',
};
const wording: Partial<Record<ErrorCode, string>> = {
  ADDRESS_IN_USE: 'another process already listens on this address',
  ADDRESS_NOT_PERMITTED: 'the user of this process is not permitted to listen on this address',
  ADDRESS_NOT_AVAILABLE: 'the host is not an address of this machine',
};

/** `given` is the address as the user wrote it. */
export function listenError(given: string, cause: unknown): EvyError {
  if (cause instanceof EvyError) return cause;
  const reason = (cause as NodeJS.ErrnoException).code ?? toError(cause).message;
  const code = codes[reason] ?? 'LISTEN_FAILED';
  return new EvyError(
    code,
    `${given}: ${wording[code] ?? 'the operating system refused the listening socket'} (${reason})`,
    { cause },
  );
}
