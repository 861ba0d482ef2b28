import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scaleBoxes } from '../../src/vision/boxes.ts';
import { networkSize } from '../../src/vision/network-size.ts';
import { readVisionGoldens, size } from './vision-data.ts';

const sizeCases = readVisionGoldens(
  'network-size',
  z.array(z.object({ image: size, size: z.int(), max: z.int(), floor: size.nullable(), round: size })),
);

describe('images get the size that their framework gives them', () => {
  it('floor: torchvision, where it does not refuse the image', () => {
    const known = sizeCases.filter(({ floor }) => floor !== null);
    expect(known.length).toBeGreaterThan(300);
    for (const { image, size, max, floor } of known)
      expect(networkSize(image, { policy: 'shortest-edge', size, max, rounding: 'floor' })).toEqual(floor);
  });

  it('round: mmcv, but never less than one pixel', () => {
    expect(sizeCases.length).toBeGreaterThan(400);
    for (const { image, size, max, round } of sizeCases) {
      const expected = { height: Math.max(round.height, 1), width: Math.max(round.width, 1) };
      expect(networkSize(image, { policy: 'shortest-edge', size, max, rounding: 'round' })).toEqual(expected);
    }
  });
});

const boxCases = readVisionGoldens(
  'boxes',
  z.array(z.object({ from: size, to: size, boxes: z.array(z.number()), scaled: z.array(z.number()) })),
);

describe('boxes are scaled as by torchvision, to the last bit', () => {
  it.each(boxCases)('$from to $to', ({ from, to, boxes, scaled }) => {
    expect(scaleBoxes(Float32Array.from(boxes), from, to)).toEqual(Float32Array.from(scaled));
  });
});
