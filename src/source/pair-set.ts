const INITIAL_SLOTS = 1 << 12;
const MAX_LOAD = 0.7;

/**
 * A set of 64-bit values, each given as two 32-bit halves, at 12 to 24 bytes a value: a JavaScript Set of as many
 * strings or numbers takes several times that. Open addressing with linear probing.
 */
export class PairSet {
  #high = new Uint32Array(INITIAL_SLOTS);
  #low = new Uint32Array(INITIAL_SLOTS);
  #used = 0;
  /** Two zeros mark a free slot, so that value is kept apart. */
  #hasZero = false;

  /** Whether the value was new. */
  add(high: number, low: number): boolean {
    if ((high | low) === 0) {
      const isNew = !this.#hasZero;
      this.#hasZero = true;
      return isNew;
    }
    if (!insert(this.#high, this.#low, high >>> 0, low >>> 0)) return false;
    this.#used += 1;
    if (this.#used > this.#high.length * MAX_LOAD) this.#grow();
    return true;
  }

  #grow(): void {
    const high = new Uint32Array(this.#high.length * 2);
    const low = new Uint32Array(high.length);
    for (let slot = 0; slot < this.#high.length; slot++) {
      const [oldHigh = 0, oldLow = 0] = [this.#high[slot], this.#low[slot]];
      if ((oldHigh | oldLow) !== 0) insert(high, low, oldHigh, oldLow);
    }
    this.#high = high;
    this.#low = low;
  }
}

function insert(highs: Uint32Array, lows: Uint32Array, high: number, low: number): boolean {
  const mask = highs.length - 1;
  // Mixed, so that consecutive numbers and multiples of powers of two spread too.
  const product = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  let slot = ((product ^ (product >>> 15)) & mask) >>> 0;
  while (((highs[slot] ?? 0) | (lows[slot] ?? 0)) !== 0) {
    if (highs[slot] === high && lows[slot] === low) return false;
    slot = (slot + 1) & mask;
  }
  highs[slot] = high;
  lows[slot] = low;
  return true;
}
