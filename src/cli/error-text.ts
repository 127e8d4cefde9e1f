/**
 * What a person sees of an error: one line that says what to change. Stack traces only of the user's own code, which they
 * can repair; or of evy when evy is at fault.
 */
import { EvyError } from '../shared/errors.ts';
import { userStackOf } from '../shared/user-error.ts';

/** Ends with a line feed. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof EvyError) || thrown.code === 'INTERNAL') {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return `evy: this is an error of evy itself; please report it\n${text}\n`;
  }
  const lines = thrown.message.split('\n').map((line) => `evy: ${line}\n`);
  const stack = userStackOf(thrown);
  return stack === undefined ? lines.join('') : `${lines.join('')}\n${stack}\n`;
}

/** Exit code of the process that this error ends. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof EvyError ? thrown.exitCode : 1;
}
