import { describe, expect, it } from 'vitest';
import { PairSet } from '../../../src/source/pair-set.ts';

describe('PairSet', () => {
  it('tells new values from known ones, and halves from each other', () => {
    const set = new PairSet();
    const values: [number, number][] = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0],
      [0, 0xffffffff],
    ];
    for (const [high, low] of values) expect(set.add(high, low)).toBe(true);
    for (const [high, low] of values) expect(set.add(high, low)).toBe(false);
  });

  it('keeps what it has as it grows', () => {
    const set = new PairSet();
    for (let value = 0; value < 20_000; value++) expect(set.add(value % 7, value)).toBe(true);
    for (let value = 0; value < 20_000; value++) expect(set.add(value % 7, value)).toBe(false);
    expect(set.add(8, 1)).toBe(true);
  });
});
