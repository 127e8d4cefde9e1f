/** Responses that are complete but have not left yet, oldest first: each is settled when its last byte has. */
import type { Outcome } from '../shared/application.ts';
import type { Exchange } from './exchange.ts';

export class Answered {
  #waiting: Exchange[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  push(exchange: Exchange): void {
    this.#waiting.push(exchange);
  }

  /** `sent`: bytes of the connection that the operating system took. */
  settleUpTo(sent: number): void {
    while (this.#waiting.length > 0 && sent >= this.#waiting[0]!.endOffset) this.#waiting.shift()!.settle('sent');
  }

  settleAll(outcome: Outcome): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exchange of waiting) exchange.settle(outcome);
  }
}
