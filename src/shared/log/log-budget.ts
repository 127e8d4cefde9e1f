/**
 * Limits the log lines that clients can cause. A few of each kind are written per second; the rest are counted and
 * reported in one line at the end of the second. So a client that sends garbage cannot fill the log or hide other
 * lines. The access log still has every refused request.
 */
import { atExit, finished } from './at-exit.ts';
import type { LogEvent, LogFields, Logger } from './log.ts';

/** lines of one kind per second */
export const linesPerSecond = 20;
const spanMs = 1000;

const causedByClients: ReadonlySet<LogEvent> = new Set<LogEvent>([
  'connection.refused',
  'connection.cut',
  'request.refused',
  'request.timed-out',
  'app.failed',
  'hook.failed',
]);

/** The suppressed lines of one kind. */
export interface Suppressed {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: LogEvent;
  readonly code: unknown;
  readonly suppressed: number;
}

type Kind = Pick<Suppressed, 'level' | 'event' | 'code'>;

/** Counts the lines of one second. */
export class LineBudget {
  readonly #most: number;
  readonly #seen = new Map<string, Kind & { lines: number }>();

  constructor(most = linesPerSecond) {
    this.#most = most;
  }

  /** Counts a line. Returns whether it may be written. */
  trySpend(kind: Kind): boolean {
    // The map stays small, since codes come from tables.
    const name = `${kind.level} ${kind.event} ${String(kind.code)}`;
    let seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, (seen = { ...kind, lines: 0 }));
    seen.lines += 1;
    return seen.lines <= this.#most;
  }

  /** Ends the second: returns what was suppressed, and starts to count again. */
  endSecond(): Suppressed[] {
    const over = [...this.#seen.values()].filter(({ lines }) => lines > this.#most);
    this.#seen.clear();
    return over.map(({ lines, ...kind }) => ({ ...kind, suppressed: lines - this.#most }));
  }
}

/** Wraps a logger with the budget. Lines that no client can cause are not limited, nor are lines of level debug. */
export function withBudget(log: Logger): Logger {
  const budget = new LineBudget();
  let isCounting = false;

  const tell = (): void => {
    isCounting = false;
    finished(tell);
    for (const { level, event, code, suppressed } of budget.endSecond()) log[level](event, { code, suppressed });
  };
  const within =
    (level: Kind['level']) =>
    (event: LogEvent, fields?: LogFields): void => {
      if (causedByClients.has(event)) {
        if (!isCounting) {
          isCounting = true;
          atExit(tell);
          setTimeout(tell, spanMs).unref();
        }
        if (!budget.trySpend({ level, event, code: fields?.['code'] })) return;
      }
      log[level](event, fields);
    };
  return { ...log, info: within('info'), warn: within('warn'), error: within('error') };
}
