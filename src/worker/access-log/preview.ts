/** The line that a request which is under way would have if it ended now: made as any other, and written nowhere. */
import type { AccessLog } from './access-log.ts';
import type { LoggedRequest } from './record.ts';

export class Preview {
  readonly #accessLog: Pick<AccessLog, 'line'> | undefined;
  #line: string | undefined;

  constructor(accessLog: Pick<AccessLog, 'line'> | undefined) {
    this.#accessLog = accessLog;
  }

  write(request: LoggedRequest, status: number, bodyBytes: number, seconds: number): void {
    this.#line = this.#accessLog?.line(request, status, bodyBytes, seconds);
  }
  settled(request: LoggedRequest, status: number, bodyBytes: number, seconds: number): void {
    this.write(request, status, bodyBytes, seconds);
  }

  /** Of the request that `account` accounts for here; undefined when there is none to be written. */
  lineOf(account: () => void): string | undefined {
    this.#line = undefined;
    account();
    return this.#line;
  }
}
