/** Where batches of lines go: one write at a time, whose outcome is told by a call back. */

/** `taken`: bytes that need not be written again; with an error, how many were before it. */
export type Written = (taken: number, error: Error | null | undefined) => void;

export interface Sink {
  /** Worth a write: each costs a wake-up of a thread or of a reader. */
  readonly batchBytes: number;
  write(bytes: Buffer, written: Written): void;
  /** At the very end of the process, when no call back comes any more: what can be written at once. */
  writeNow(bytes: Buffer): void;
  /** Opens the file of the same name anew. */
  reopen(): void;
  close(): Promise<void>;
}
