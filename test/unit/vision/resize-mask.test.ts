import { describe, expect, it } from 'vitest';
import { encodeResizedMask } from '../../../src/vision/resize-mask.ts';
import { encodeMask } from '../../../src/vision/rle.ts';

const at = (height: number, width: number) => ({ height, width });

describe('encodeResizedMask', () => {
  it('takes a mask of the right size as it is', () => {
    const values = Float32Array.of(0, 1, 0.6, 0.4, 0.5, 0.9);
    expect(encodeResizedMask(values, at(2, 3), at(2, 3), at(2, 3), 0.5)).toEqual(
      encodeMask([0, 1, 1, 0, 0, 1], at(2, 3)),
    );
  });

  it('leaves the padding out', () => {
    const values = Float32Array.of(1, 0, 1, 0, 1, 1, 1, 1, 1);
    expect(encodeResizedMask(values, at(3, 3), at(2, 2), at(2, 2), 0.5)).toEqual(
      encodeMask([1, 0, 0, 1], at(2, 2)),
    );
    expect(encodeResizedMask(values, at(3, 3), at(2, 1), at(4, 1), 0.5)).toEqual(
      encodeMask([1, 1, 0, 0], at(4, 1)),
    );
  });

  it('interpolates between the centres of the pixels', () => {
    // 1 and 0 become 1, 0.75, 0.25, 0.
    const values = Float32Array.of(1, 0);
    const area = (threshold: number) =>
      encodeResizedMask(values, at(1, 2), at(1, 2), at(1, 4), threshold).area;
    expect([0, 0.25, 0.5, 0.75, 0.9, 1].map(area)).toEqual([3, 2, 2, 1, 1, 0]);
  });

  it('refuses content that is larger than the mask', () => {
    expect(() => encodeResizedMask(new Float32Array(4), at(2, 2), at(3, 2), at(3, 2), 0.5)).toThrow(
      new RangeError('a mask of 2x2 cannot hold 3x2'),
    );
  });
});
