/** Every float32 is told from its neighbours by so many decimal digits. */
const MAX_DIGITS = 9;

/**
 * The number with the fewest decimal digits that is still this float32 when it is rounded to one: 0.1 for
 * 0.10000000149011612. JSON written from it is short and loses nothing. Shortest for every float32 but 2^-96, 2^87
 * and 2^90, which get one digit more. `value` is rounded to float32 first.
 */
export function shortestFloat32(value: number): number {
  const float = Math.fround(value);
  if (Number.isInteger(float)) return float;
  // What more digits cannot do, fewer cannot either; so search down from a good guess where it holds, up where not.
  const guess = 7;
  let shortest = withDigits(float, guess);
  if (Math.fround(shortest) === float) {
    for (let digits = guess - 1; digits >= 1; digits--) {
      const shorter = withDigits(float, digits);
      if (Math.fround(shorter) !== float) break;
      shortest = shorter;
    }
    return shortest;
  }
  for (let digits = guess + 1; digits <= MAX_DIGITS; digits++) {
    shortest = withDigits(float, digits);
    if (Math.fround(shortest) === float) break;
  }
  return shortest;
}

const withDigits = (value: number, digits: number): number => Number(value.toPrecision(digits));
