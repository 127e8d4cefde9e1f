/**
 * Classifies an event loop that does not turn, and says what to report when that changes.
 *
 * The main thread beats whenever its loop turns; the watchdog counts in its own time (shared/quiet.ts) how long there was no
 * beat. In a stopped process, or on a machine asleep, neither runs: then nothing counts, and no loop is taken for stuck.
 */
import { noticeMs } from '../../shared/quiet.ts';

export const verdicts = ['well', 'busy', 'stuck'] as const;
export type Verdict = (typeof verdicts)[number];
/** to the master; 'none' is nothing */
export type Saying = 'none' | 'busy' | 'recovered' | 'stuck';

export interface Observed {
  readonly quietMs: number;
  /** A debugger is attached to the main thread: a thread at a breakpoint is not stuck. */
  readonly isDebugged: boolean;
}

export function verdictOn({ quietMs, isDebugged }: Observed, stuckMs: number): Verdict {
  if (isDebugged) return 'well';
  if (quietMs >= stuckMs) return 'stuck';
  return quietMs >= noticeMs(stuckMs) ? 'busy' : 'well';
}

/** What to report from one verdict to the next; each is reported once. */
export const sayings: Readonly<Record<Verdict, Readonly<Record<Verdict, Saying>>>> = {
  well: { well: 'none', busy: 'busy', stuck: 'stuck' },
  busy: { well: 'recovered', busy: 'none', stuck: 'stuck' },
  // Without a beat in between, stuck cannot become busy; if it did, it would be no news.
  stuck: { well: 'recovered', busy: 'none', stuck: 'none' },
};
