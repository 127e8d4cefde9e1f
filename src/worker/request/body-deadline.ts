/** How long the next bytes of a body are waited for, and what is said when they do not come: too long a pause, or too slow a pace. */
import type { ServerSettings } from '../../shared/options/table.ts';
import { BodyPace } from './body-pace.ts';
import type { Deadlines } from '../loop/deadlines.ts';

export class BodyDeadline {
  readonly #deadlines: Deadlines;
  readonly #mostMs: number;
  /** undefined when any pace will do */
  readonly #pace: BodyPace | undefined;
  /** the pace, not a pause, is what ends first */
  #isPressed = false;

  constructor(deadlines: Deadlines, settings: Pick<ServerSettings, 'bodyMinRate' | 'socketTimeoutMs'>) {
    const { bodyMinRate, socketTimeoutMs } = settings;
    this.#deadlines = deadlines;
    this.#mostMs = socketTimeoutMs;
    this.#pace = bodyMinRate > 0 ? new BodyPace(bodyMinRate, socketTimeoutMs) : undefined;
  }

  /** Another body begins. */
  begin(): void {
    this.#pace?.begin();
  }

  received(bytes: number): void {
    this.#pace?.received(bytes, this.#deadlines.nowMs);
  }

  /** Sets the deadline; there is none while it is not the client's turn. */
  expect(isClientsTurn: boolean): void {
    const { nowMs } = this.#deadlines;
    if (isClientsTurn) {
      const leftMs = this.#pace?.wait(nowMs) ?? Infinity;
      this.#isPressed = leftMs < this.#mostMs;
      this.#deadlines.expect('body', Math.min(leftMs, this.#mostMs));
    } else {
      this.#pace?.pause(nowMs);
      this.#deadlines.expectNothing();
    }
  }

  /** Why the deadline has passed. */
  get fault(): 'BODY_TOO_SLOW' | 'BODY_TIMEOUT' {
    return this.#isPressed ? 'BODY_TOO_SLOW' : 'BODY_TIMEOUT';
  }
}
