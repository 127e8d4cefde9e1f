/**
 * Formats an error for the user: one line that says what to change. A stack trace is added only if it is of the user's
 * code, or if the error is one of evy itself.
 */
import { EvyError } from '../shared/errors.ts';
import { userStackOf } from '../shared/user-error.ts';

/** The text ends with a line feed. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof EvyError) || thrown.code === 'INTERNAL') {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return `evy: this is an error of evy itself; please report it\n${text}\n`;
  }
  const lines = thrown.message.split('\n').map((line) => `evy: ${line}\n`);
  const stack = userStackOf(thrown);
  return stack === undefined ? lines.join('') : `${lines.join('')}\n${stack}\n`;
}

/** The exit code of the process that this error ends. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof EvyError ? thrown.exitCode : 1;
}
