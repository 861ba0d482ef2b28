import { describe, expect, it } from 'vitest';
import { shortestFloat32 } from '../../../src/coco/shortest-float32.ts';

describe('shortestFloat32', () => {
  it.each([
    [0.1, '0.1'],
    [Math.fround(0.1), '0.1'],
    [0.98765432, '0.9876543'],
    [123.456, '123.456'],
    [-0.5, '-0.5'],
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [16_777_217, '16777216'],
    [2 ** -149, '1e-45'],
  ])('of %d is written %s', (value, text) => {
    expect(JSON.stringify(shortestFloat32(value))).toBe(text);
  });

  it('is the same float32, and stays as it is when taken again', () => {
    for (let step = 0; step < 10_000; step++) {
      const value = Math.fround(1333 * Math.abs(Math.sin(step * 12.9898)));
      const short = shortestFloat32(value);
      expect(Math.fround(short)).toBe(value);
      expect(shortestFloat32(short)).toBe(short);
    }
  });
});
