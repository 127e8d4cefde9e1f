/**
 * Classifies a blocked event loop, and says what to report when that changes.
 *
 * The main thread beats whenever its loop turns. The watchdog counts how long there was no beat, in its own running
 * time (shared/quiet.ts). In a stopped process, or on a sleeping machine, neither thread runs, so nothing counts and no
 * loop is taken for stuck.
 */
import { noticeMs } from '../../shared/quiet.ts';

export const verdicts = ['well', 'busy', 'stuck'] as const;
export type Verdict = (typeof verdicts)[number];
/** the message to the master, if any */
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

/** The message for each change of the verdict; each is sent once. */
export const sayings: Readonly<Record<Verdict, Readonly<Record<Verdict, Saying>>>> = {
  well: { well: 'none', busy: 'busy', stuck: 'stuck' },
  busy: { well: 'recovered', busy: 'none', stuck: 'stuck' },
  // Without a beat in between, stuck cannot become busy.
  stuck: { well: 'recovered', busy: 'none', stuck: 'none' },
};
