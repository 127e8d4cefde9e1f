/** Responses that are complete but have not left yet, oldest first: each is settled when its last byte has. */
import type { Outcome } from '../../shared/application.ts';
import type { Response } from './response.ts';

export class Answered {
  /** the usual one alone needs no list */
  #first: Response | undefined;
  #others: Response[] | undefined;

  get count(): number {
    return (this.#first === undefined ? 0 : 1) + (this.#others?.length ?? 0);
  }

  get oldest(): Response | undefined {
    return this.#first;
  }

  push(response: Response): void {
    if (this.#first === undefined) this.#first = response;
    else (this.#others ??= []).push(response);
  }

  /** `sent`: bytes of the connection that the operating system took. */
  settleUpTo(sent: number): void {
    const first = this.#first;
    if (first === undefined || first.endOffset > sent) return;
    const others = this.#others;
    if (others === undefined) {
      this.#first = undefined;
      first.settle('sent');
      return;
    }
    let count = 0;
    while (count < others.length && others[count]!.endOffset <= sent) count += 1;
    // What hooks of the settled ones bring about comes after what waits already.
    this.#first = others[count];
    this.#others = count + 1 < others.length ? others.slice(count + 1) : undefined;
    first.settle('sent');
    for (let index = 0; index < count; index += 1) others[index]!.settle('sent');
  }

  settleAll(outcome: Outcome): void {
    const first = this.#first;
    const others = this.#others;
    this.#first = undefined;
    this.#others = undefined;
    first?.settle(outcome);
    for (const other of others ?? []) other.settle(outcome);
  }
}
