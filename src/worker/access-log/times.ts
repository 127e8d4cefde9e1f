/** Formats the time of access lines once a second, since most lines share it with many others. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number): string => String(number).padStart(2, '0');

const dayOf = (date: Date): string => `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;

const clockOf = (date: Date): string => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** Local time as eventlet writes it: '22/Nov/2026 21:30:05'. */
export function eventletDate(date: Date): string {
  return `${dayOf(date)} ${clockOf(date)}`;
}

/** Local time as Apache writes it: '22/Nov/2026:21:30:05 +0100'. */
export function apacheDate(date: Date): string {
  const east = -date.getTimezoneOffset();
  const minutes = Math.abs(east);
  const zone = `${east < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  return `${dayOf(date)}:${clockOf(date)} ${zone}`;
}

let second = NaN;
let eventlet = '';
let apache = '';
let isoSecond = '';

function turnTo(nowMs: number): void {
  const now = Math.floor(nowMs / 1000);
  if (now === second) return;
  second = now;
  const date = new Date(now * 1000);
  eventlet = eventletDate(date);
  apache = apacheDate(date);
  isoSecond = date.toISOString().slice(0, -4);
}

export function eventletTime(nowMs: number): string {
  turnTo(nowMs);
  return eventlet;
}

export function apacheTime(nowMs: number): string {
  turnTo(nowMs);
  return apache;
}

/** '2026-11-22T20:30:05.123Z' */
export function isoTime(nowMs: number): string {
  turnTo(nowMs);
  const ms = nowMs % 1000;
  return `${isoSecond}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
