/**
 * What may happen to a server, as data: a step says it all, so the steps of a seed can be printed and are the same each
 * time. Which worker is hit is a share of those that there are (`whom` 0.5 of four workers is the third); the pause comes after
 * the step, and what lasts (a stop, a busy loop) goes on meanwhile.
 */
import { between, weighted, type Random } from './random.ts';

interface About {
  /** until the next step */
  pauseMs: number;
}
export interface Aimed extends About {
  /** from [0, 1) */
  whom: number;
}

export type Step =
  | (About & { kind: 'reload' | 'upgrade' | 'more' | 'fewer' | 'kill-all' })
  | (About & { kind: 'storm'; reloads: number })
  /** a release that does not load, repaired after a while; one that loads slowly */
  | (About & { kind: 'broken-release' | 'slow-release'; lastsMs: number })
  | (Aimed & { kind: 'kill' | 'crash' | 'retire' })
  | (Aimed & { kind: 'stop'; lastsMs: number })
  | (About & { kind: 'stop-master'; lastsMs: number })
  /** the worker's loop does nothing else for that time */
  | (Aimed & { kind: 'block'; lastsMs: number })
  /** the worker keeps so much more memory */
  | (Aimed & { kind: 'grow'; bytes: number });
export type StepKind = Step['kind'];

/** How likely each is. */
const weights: Readonly<Record<StepKind, number>> = {
  'reload': 4,
  'storm': 1,
  'upgrade': 1,
  'broken-release': 2,
  'slow-release': 2,
  'kill': 4,
  'kill-all': 0.5,
  'crash': 2,
  'retire': 2,
  'stop': 3,
  'stop-master': 1,
  'block': 3,
  'grow': 2,
  'more': 2,
  'fewer': 2,
};

export interface Chances {
  /** how long a loop may be blocked; what is longer than the server's patience is a death */
  longestBlockMs: number;
}

/** The next step. */
export function drawStep(random: Random, { longestBlockMs }: Chances): Step {
  const kind = weighted(random, weights);
  // Mostly soon, so that steps overlap; sometimes long enough for things to settle.
  const pauseMs = random() < 0.8 ? between(random, 50, 800) : between(random, 800, 2500);
  const whom = random();
  switch (kind) {
    case 'reload':
    case 'upgrade':
    case 'more':
    case 'fewer':
    case 'kill-all':
      return { kind, pauseMs };
    case 'storm':
      return { kind, pauseMs, reloads: between(random, 3, 10) };
    case 'broken-release':
    case 'slow-release':
      return { kind, pauseMs, lastsMs: between(random, 300, 2000) };
    case 'kill':
    case 'crash':
    case 'retire':
      return { kind, pauseMs, whom };
    case 'stop':
      return { kind, pauseMs, whom, lastsMs: between(random, 100, 2000) };
    case 'stop-master':
      return { kind, pauseMs, lastsMs: between(random, 100, 1000) };
    case 'block':
      return { kind, pauseMs, whom, lastsMs: between(random, 200, longestBlockMs) };
    case 'grow':
      return { kind, pauseMs, whom, bytes: between(random, 50, 150) * 1e6 };
  }
}

/** As a line of a report. */
export function stepText({ kind, ...about }: Step): string {
  return [kind, ...Object.entries(about).map(([name, value]) => `${name}=${Number(value.toFixed(3))}`)].join(' ');
}
