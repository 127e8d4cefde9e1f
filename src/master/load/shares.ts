/**
 * Divides a limit of all workers together into shares. Each worker enforces its own share, so that no message is needed
 * for a single connection or request. These functions are pure.
 *
 * A lowered share counts as lowered once the worker has confirmed it; until then the higher one counts as `held`. So
 * does anything that a worker has beyond its share, since it closes nothing. Only what no worker holds is given to
 * others. So all workers together never exceed the limit, however late a message is.
 *
 * Each worker gets at least one, and what it used recently. Most of the rest goes to workers that ran short, so that a
 * suddenly busy worker has nearly the whole limit after a few rounds. Where there is not enough, only the shares of
 * workers that ran short are reduced.
 */
import type { Usage } from '../../shared/protocol/guarding.ts';

export interface Holder {
  readonly id: number;
  /** the share that it was told last */
  readonly share: number;
  /** the serial of the deal that set `share`; only a confirmation of that deal, or a later one, counts */
  readonly serial: number;
  /** the most that it may hold, as far as the master knows: never less than `share` */
  readonly held: number;
  readonly wanted: number;
  /** it needed more than its share */
  readonly isShort: boolean;
  /** it takes no new work: what it gives up goes to the others */
  readonly isLeaving: boolean;
}

export function newHolder(id: number): Holder {
  return { id, share: 0, serial: 0, held: 0, wanted: 0, isShort: false, isLeaving: false };
}

/** Records the counts of a worker, with the serial of the last deal that it had received then. */
export function noteUsage(holder: Holder, serial: number, { now, wanted, isShort }: Usage): Holder {
  const isConfirmed = serial >= holder.serial;
  return { ...holder, wanted, isShort, held: Math.max(isConfirmed ? holder.share : holder.held, now) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

/** Returns whole numbers in proportion to `weights`, which add up to `total`. */
function apportion(total: number, weights: readonly number[]): number[] {
  const whole = sum(weights);
  const exact = weights.map((weight) => (total * weight) / whole);
  const parts = exact.map(Math.floor);
  let left = total - sum(parts);
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

/** How much more of the rest a worker that ran short gets. */
const shortWeight = 8;

type Claim = Pick<Holder, 'wanted' | 'isShort'>;

/** Returns the share that each should have; they add up to `limit`. */
export function targetShares(limit: number, claims: readonly Claim[]): number[] {
  const least = limit >= claims.length ? 1 : 0;
  const sure = claims.map(({ wanted }) => Math.max(least, wanted));
  const spare = limit - sum(sure);
  if (spare >= 0) {
    const weights = claims.map(({ wanted, isShort }) => (wanted + 1) * (isShort ? shortWeight : 1));
    const extra = apportion(spare, weights);
    return sure.map((part, index) => part + extra[index]!);
  }
  return cutDown(limit, claims, sure, least);
}

/** Workers that did not run short keep what they used, unless that alone is too much; the rest move towards the mean by a quarter each round. */
function cutDown(limit: number, claims: readonly Claim[], sure: readonly number[], least: number): number[] {
  const kept = sure.map((part, index) => (claims[index]!.isShort ? least : part));
  if (sum(kept) > limit || !claims.some(({ isShort }) => isShort)) {
    const beyond = sure.map((part) => part - least);
    return apportion(limit - least * sure.length, beyond).map((part) => part + least);
  }
  const beyond = sure.map((part, index) => part - kept[index]!);
  const toMiddle = sum(beyond) / sure.length / 4;
  const parts = apportion(
    limit - sum(kept),
    beyond.map((part, index) => (claims[index]!.isShort ? part + toMiddle : 0)),
  );
  return kept.map((part, index) => part + parts[index]!);
}

/**
 * The next step towards the targets: shares are lowered immediately, and raised by what no worker holds. A holder whose
 * share changed is a new object.
 */
export function dealShares(limit: number, holders: readonly Holder[], serial: number): Holder[] {
  const heldBy = (some: readonly Holder[]) => sum(some.map(({ held }) => held));
  const staying = holders.filter(({ isLeaving }) => !isLeaving);
  const leaving = holders.filter(({ isLeaving }) => isLeaving);
  const free = Math.max(0, limit - heldBy(leaving));
  const targets = targetShares(free, staying);
  const targetOf = new Map(staying.map(({ id }, index) => [id, targets[index]!]));
  let available = Math.max(0, limit - heldBy(holders));
  return holders.map((holder) => {
    const target = targetOf.get(holder.id) ?? 0;
    if (target <= holder.held) return target === holder.share ? holder : { ...holder, share: target, serial };
    const share = Math.min(target, holder.held + available);
    available -= share - holder.held;
    return share === holder.share ? holder : { ...holder, share, serial, held: share };
  });
}
