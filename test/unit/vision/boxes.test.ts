import { describe, expect, it } from 'vitest';
import { scaleBoxes } from '../../../src/vision/boxes.ts';

describe('boxes', () => {
  it('scale by axis', () => {
    const boxes = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
    const scaled = scaleBoxes(boxes, { height: 100, width: 100 }, { height: 50, width: 200 });
    expect(Array.from(scaled)).toEqual([2, 1, 6, 2, 20, 10, 60, 20]);
    expect(scaleBoxes(scaled, { height: 50, width: 200 }, { height: 100, width: 100 })).toEqual(boxes);
  });

  it('may be none', () => {
    const size = { height: 1, width: 1 };
    expect(scaleBoxes(new Float32Array(0), size, size)).toHaveLength(0);
  });
});
