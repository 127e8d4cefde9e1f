/**
 * Announces that a response can no longer be delivered: by `env['evy.signal']`, and by callbacks for the server itself.
 * The signal is created at the first access, since most applications never use it and an AbortSignal is expensive. The
 * first reason counts.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #announced: Error | undefined;
  #callbacks: Array<() => void> | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const reason = this.#announced ?? this.#reason;
      if (reason !== undefined) this.#controller.abort(reason);
    }
    return this.#controller.signal;
  }

  /** Aborts only the signal: output of the application may still be sent. */
  announce(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#announced ??= reason;
    this.#controller?.abort(reason);
  }

  onAbort(callback: () => void): void {
    if (this.#reason === undefined) (this.#callbacks ??= []).push(callback);
    else callback();
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const callback of this.#callbacks ?? []) callback();
  }
}
