/**
 * What an event loop that does not turn is called, and what is to be said when it is called otherwise than before.
 *
 * The main thread beats whenever its loop turns, the watchdog counts in its own time (shared/quiet.ts) how long there was no
 * beat. A process that is stopped, or a machine asleep, stops both: then nothing counts, and nobody is taken for stuck.
 */
import { noticeMs } from '../../shared/quiet.ts';

export const verdicts = ['well', 'busy', 'stuck'] as const;
export type Verdict = (typeof verdicts)[number];
/** to the master; 'none' is nothing */
export type Saying = 'none' | 'busy' | 'recovered' | 'stuck';

export interface Observed {
  readonly quietMs: number;
  /** a debugger is attached to the main thread: whoever stands at a breakpoint is not stuck */
  readonly isDebugged: boolean;
}

export function verdictOn({ quietMs, isDebugged }: Observed, stuckMs: number): Verdict {
  if (isDebugged) return 'well';
  if (quietMs >= stuckMs) return 'stuck';
  return quietMs >= noticeMs(stuckMs) ? 'busy' : 'well';
}

/** From one verdict to the next: each is told once. */
export const sayings: Readonly<Record<Verdict, Readonly<Record<Verdict, Saying>>>> = {
  well: { well: 'none', busy: 'busy', stuck: 'stuck' },
  busy: { well: 'recovered', busy: 'none', stuck: 'stuck' },
  // Stuck without a beat in between cannot become busy; all the same it is no news.
  stuck: { well: 'recovered', busy: 'none', stuck: 'none' },
};
