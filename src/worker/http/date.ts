/** The Date header (RFC 9110 §6.6.1), made once a second. */
let second = -1;
let line = '';

/** 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n' for now. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
