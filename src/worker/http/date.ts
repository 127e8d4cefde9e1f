/**
 * The Date header (RFC 9110 §6.6.1). The line is good for the rest of its second: a timer drops it then, so that a
 * response costs no look at the clock. While nobody answers there is no timer.
 */
let line: string | undefined;

function renew(): string {
  const nowMs = Date.now();
  setTimeout(drop, 1000 - (nowMs % 1000)).unref();
  return `Date: ${new Date(nowMs).toUTCString()}\r\n`;
}

function drop(): void {
  line = undefined;
}

/** 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n' for now. */
export function dateLine(): string {
  line ??= renew();
  return line;
}
