/** The line that a request which is under way would have if it ended now: made as any other, and written nowhere. */
import type { AccessLog } from './access-log.ts';
import type { LoggedReport, LoggedRequest } from './record.ts';

export class Preview {
  readonly #accessLog: Pick<AccessLog, 'line'> | undefined;
  #line: string | undefined;

  constructor(accessLog: Pick<AccessLog, 'line'> | undefined) {
    this.#accessLog = accessLog;
  }

  write(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    this.#line = this.#accessLog?.line(request, report, bodyBytes);
  }
  settled(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    this.write(request, report, bodyBytes);
  }

  /** Of the request that `account` accounts for here; undefined when there is none to be written. */
  lineOf(account: () => void): string | undefined {
    this.#line = undefined;
    account();
    return this.#line;
  }
}
