/**
 * That a response can no longer be delivered: `env['evy.signal']`, made at the first look only, since most applications never
 * look and an AbortSignal is dear; and call backs for the server's own use. The first reason counts.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #callbacks: Array<() => void> | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
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
