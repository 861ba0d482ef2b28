import { describe, expect, it } from 'vitest';
import { cutKeys } from '../../../src/storage/s3-key-ranges.ts';

describe('cutKeys', () => {
  it('makes one range where there is nothing to cut at', () => {
    expect(cutKeys([], 8)).toEqual([{ startAfter: undefined, last: undefined }]);
    expect(cutKeys(['a/'], 8)).toEqual([{ startAfter: undefined, last: undefined }]);
  });

  it('cuts at every prefix but the first, while there are few', () => {
    expect(cutKeys(['a/', 'b/', 'c/'], 8)).toEqual([
      { startAfter: undefined, last: 'b/' },
      { startAfter: 'b/', last: 'c/' },
      { startAfter: 'c/', last: undefined },
    ]);
  });

  it.each([2, 7, 8, 9, 64, 1000])(
    'makes no more ranges of %d prefixes than it may, without a gap',
    (count) => {
      const prefixes = Array.from({ length: count }, (_, n) => `${String(n).padStart(4, '0')}/`);
      const ranges = cutKeys(prefixes, 8);
      expect(ranges.length).toBeGreaterThan(1);
      expect(ranges.length).toBeLessThanOrEqual(8);
      expect(ranges.slice(1).map((range) => range.startAfter)).toEqual(
        ranges.slice(0, -1).map((range) => range.last),
      );
      expect([ranges[0]?.startAfter, ranges.at(-1)?.last]).toEqual([undefined, undefined]);
    },
  );
});
