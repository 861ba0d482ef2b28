/** The keys after `startAfter` (without it, from the first) up to and with `last` (without it, to the last). */
export interface KeyRange {
  readonly startAfter?: string | undefined;
  readonly last?: string | undefined;
}

/**
 * Cut the key space at some of the `prefixes`, which are in order, into at most `maxRanges` ranges. Every key is in
 * exactly one, and the ranges are in order.
 */
export function cutKeys(prefixes: readonly string[], maxRanges: number): KeyRange[] {
  const step = Math.ceil(prefixes.length / maxRanges);
  const cuts = prefixes.filter((_, index) => index > 0 && index % step === 0);
  return [undefined, ...cuts].map((startAfter, index) => ({ startAfter, last: cuts[index] }));
}
