/**
 * Shares of a limit that holds for all workers together: each worker enforces its own by itself, and nobody asks for a single
 * connection or request. Pure.
 *
 * A share that is lowered is in force here once the worker has confirmed it; until then the higher one counts as `held`, and
 * so does what a worker has beyond its share, for it closes nothing. Only what nobody holds is handed out. So all together never
 * have more than the limit, however late a message is.
 *
 * Who wants more gets more: one for each, and of the rest as much as it wants, in proportion. A worker that is at its
 * share wants twice of it, so it has what the others do not use after a few rounds.
 */
import type { Usage } from '../shared/guarding.ts';

export interface Holder {
  readonly id: number;
  /** what it was told last */
  readonly share: number;
  /** of the deal that said so; what it confirms must be as late */
  readonly serial: number;
  /** the most that it may have, as far as is known here: never less than `share` */
  readonly held: number;
  readonly wanted: number;
  /** it takes nothing new: what it gives up goes to the others */
  readonly isLeaving: boolean;
}

export function newHolder(id: number): Holder {
  return { id, share: 0, serial: 0, held: 0, wanted: 0, isLeaving: false };
}

/** What a worker counts, with the serial of the last deal that it had heard of then. */
export function noteUsage(holder: Holder, serial: number, { now, wanted }: Usage): Holder {
  const isConfirmed = serial >= holder.serial;
  return { ...holder, wanted, held: Math.max(isConfirmed ? holder.share : holder.held, now) };
}

/** Whole numbers in proportion to `weights`, `total` together. */
function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((one, other) => one + other, 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const parts = exact.map(Math.floor);
  let left = total - parts.reduce((one, other) => one + other, 0);
  const byRemainder = exact
    .map((_, index) => index)
    .toSorted((a, b) => exact[b]! - parts[b]! - (exact[a]! - parts[a]!));
  for (const index of byRemainder) {
    if (left <= 0) break;
    parts[index]! += 1;
    left -= 1;
  }
  return parts;
}

/** What each should have, `limit` together. */
export function targetShares(limit: number, wanted: readonly number[]): number[] {
  if (wanted.length === 0) return [];
  const each = limit >= wanted.length ? 1 : 0;
  const rest = limit - each * wanted.length;
  return apportion(
    rest,
    wanted.map((one) => one + 1),
  ).map((part) => part + each);
}

/** The next step towards that: lowers at once, and raises by what nobody holds. Holders are new where their share is. */
export function dealShares(limit: number, holders: readonly Holder[], serial: number): Holder[] {
  const sum = (some: readonly Holder[]) => some.reduce((total, { held }) => total + held, 0);
  const staying = holders.filter(({ isLeaving }) => !isLeaving);
  const leaving = holders.filter(({ isLeaving }) => isLeaving);
  const free = Math.max(0, limit - sum(leaving));
  const targets = targetShares(
    free,
    staying.map(({ wanted }) => wanted),
  );
  const targetOf = new Map(staying.map(({ id }, index) => [id, targets[index]!]));
  let available = Math.max(0, limit - sum(holders));
  return holders.map((holder) => {
    const target = targetOf.get(holder.id) ?? 0;
    if (target <= holder.held) return target === holder.share ? holder : { ...holder, share: target, serial };
    const share = Math.min(target, holder.held + available);
    available -= share - holder.held;
    return share === holder.share ? holder : { ...holder, share, serial, held: share };
  });
}
