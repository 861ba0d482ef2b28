import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pasteMask } from '../../src/vision/paste.ts';
import { encodeResizedMask } from '../../src/vision/resize-mask.ts';
import { decodeRle, encodeMask, encodeRle } from '../../src/vision/rle.ts';
import { maskFromRuns } from '../unit/vision/mask-from-runs.ts';
import { bytes, encodedMask, readVisionGoldens, size, softValues } from './vision-data.ts';

const rleCases = readVisionGoldens(
  'rle',
  z.array(z.object({ height: z.int(), width: z.int(), bits: bytes, ...encodedMask })),
);

describe('run lengths are those of pycocotools', () => {
  it.each(rleCases)('$height x $width, $area set', ({ height, width, bits, counts, area }) => {
    const image = { height, width };
    const mask = Uint8Array.from({ length: height * width }, (_, n) => (bits[n >> 3]! >> (7 - (n % 8))) & 1);
    expect(encodeMask(mask, image)).toEqual({ counts, area });
    const runs = decodeRle(counts);
    expect(encodeRle(runs)).toBe(counts);
    expect(maskFromRuns(runs, image)).toEqual(mask);
  });
});

const paste = readVisionGoldens(
  'paste',
  z.object({
    grids: z.array(softValues),
    cases: z.array(
      z.object({
        grid: z.int(),
        height: z.int(),
        width: z.int(),
        box: z.array(z.number()),
        torchvision: z.object(encodedMask),
        detectron2: z.object(encodedMask),
      }),
    ),
  }),
);

describe.each(['torchvision', 'detectron2'] as const)('masks are pasted as by %s', (convention) => {
  it('has cases of every kind', () => {
    const areas = paste.cases.map((entry) => entry[convention].area);
    expect(areas.length).toBeGreaterThan(200);
    expect(areas.filter((area) => area === 0).length).toBeGreaterThan(5);
    expect(areas.filter((area) => area > 10_000).length).toBeGreaterThan(20);
  });

  it.each(paste.cases)(
    'grid $grid on $box in $height x $width',
    ({ grid, box, height, width, ...expected }) => {
      const mask = pasteMask(
        paste.grids[grid]!,
        { height: 28, width: 28 },
        Float32Array.from(box),
        { height, width },
        { convention, threshold: 0.5 },
      );
      expect(mask).toEqual(expected[convention]);
    },
  );
});

const resizeCases = readVisionGoldens(
  'resize-mask',
  z.array(z.object({ mask: size, content: size, image: size, values: softValues, ...encodedMask })),
);

describe('masks of the whole input are resized as by torch', () => {
  it.each(resizeCases)(
    '$content of $mask to $image, $area set',
    ({ mask, content, image, values, ...expected }) => {
      expect(encodeResizedMask(values, mask, content, image, 0.5)).toEqual(expected);
    },
  );
});
