/** Numbers that look random and are the same for the same seed (mulberry32), and the choices that are made with them. */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`. */
export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

/** One of the keys; each is as likely as its weight is large. */
export function weighted<Key extends string>(random: Random, weights: Readonly<Record<Key, number>>): Key {
  const rows = Object.entries(weights) as [Key, number][];
  let left = random() * rows.reduce((sum, [, weight]) => sum + weight, 0);
  return rows.find(([, weight]) => (left -= weight) < 0)?.[0] ?? rows[0]![0];
}
