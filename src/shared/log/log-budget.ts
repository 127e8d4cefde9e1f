/**
 * Lines that clients cause: a few of each kind in a second are written, the rest is counted and told by one line when
 * the second is over. So a client that sends nonsense costs no more log than it costs requests, and hides no other line.
 * The access log has every refused request.
 */
import { atExit, finished } from './at-exit.ts';
import type { LogEvent, LogFields, Logger } from './log.ts';

/** lines of a kind in a second */
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

/** What was not written of one kind. */
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

  /** whether one more line of this kind may be written */
  take(kind: Kind): boolean {
    // Codes come from tables: there are few kinds.
    const name = `${kind.level} ${kind.event} ${String(kind.code)}`;
    let seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, (seen = { ...kind, lines: 0 }));
    seen.lines += 1;
    return seen.lines <= this.#most;
  }

  /** The second is over: what was not written, and a new second. */
  turn(): Suppressed[] {
    const over = [...this.#seen.values()].filter(({ lines }) => lines > this.#most);
    this.#seen.clear();
    return over.map(({ lines, ...kind }) => ({ ...kind, suppressed: lines - this.#most }));
  }
}

/** The same log, within the budget. Lines that no client can cause pass as they are, and so do lines of level debug. */
export function withBudget(log: Logger): Logger {
  const budget = new LineBudget();
  let isCounting = false;

  const tell = (): void => {
    isCounting = false;
    finished(tell);
    for (const { level, event, code, suppressed } of budget.turn()) log[level](event, { code, suppressed });
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
        if (!budget.take({ level, event, code: fields?.['code'] })) return;
      }
      log[level](event, fields);
    };
  return { ...log, info: within('info'), warn: within('warn'), error: within('error') };
}
