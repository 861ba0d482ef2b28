import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ImageSize, RgbImage } from '../../src/vision/geometry.ts';
import type { NetworkInput } from '../../src/vision/network-input.ts';
import { resampleInto } from '../../src/vision/resample.ts';
import { bytes, floats, readVisionGoldens, size } from './vision-data.ts';

const goldens = readVisionGoldens(
  'resample',
  z.object({
    small: z.array(z.object({ source: size, size, pixels: bytes, expected: floats })),
    large: z.array(z.object({ source: size, size, at: z.array(z.int()), expected: floats })),
  }),
);

/** On the 0..1 scale. */
const TOLERANCE = 1e-6;

const plain: NetworkInput = {
  layout: 'NHWC',
  color: 'RGB',
  resize: { policy: 'fixed', filter: 'torch-bilinear' },
  pad: { value: [0, 0, 0] },
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** As `noise_image` in the script that made the goldens. */
function noiseImage({ height, width }: ImageSize): RgbImage {
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, n) => Math.imul(n, 2654435761) >>> 24);
  return { height, width, pixels };
}

function resample(image: RgbImage, resized: ImageSize, input: NetworkInput): Float32Array {
  const batch = new Float32Array(resized.height * resized.width * 3);
  resampleInto(batch, { index: 0, padded: resized, resized }, image, input);
  return batch;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, n) => Math.max(largest, Math.abs(value - b[n]!)), 0);
}

describe('torch-bilinear is what torchvision resizes with', () => {
  it.each(goldens.small)('$source to $size', ({ source, size, pixels, expected }) => {
    const image = { ...source, pixels };
    const result = resample(image, size, plain).map((value) => value / 255);
    expect(largestDifference(result, expected)).toBeLessThan(TOLERANCE);
  });

  it.each(goldens.large)('$source to $size, at a sample of values', ({ source, size, at, expected }) => {
    const result = resample(noiseImage(source), size, plain);
    expect(
      largestDifference(
        at.map((n) => result[n]! / 255),
        expected,
      ),
    ).toBeLessThan(TOLERANCE);
  });

  it.each(goldens.small)('$source to $size, scaled into planes', ({ source, size, pixels, expected }) => {
    const result = resample({ ...source, pixels }, size, { ...plain, layout: 'NCHW', scale: 1 / 255 });
    const area = size.height * size.width;
    const planes = expected.map((_, n) => expected[(n % area) * 3 + Math.floor(n / area)]!);
    expect(largestDifference(result, planes)).toBeLessThan(TOLERANCE);
  });

  it.each(goldens.small)('$source to $size, in whole grey levels', ({ source, size, pixels, expected }) => {
    const batch = new Uint8Array(size.height * size.width * 3);
    resampleInto(batch, { index: 0, padded: size, resized: size }, { ...source, pixels }, plain);
    expect(
      largestDifference(
        batch,
        expected.map((value) => value * 255),
      ),
    ).toBeLessThanOrEqual(0.5 + 255e-6);
  });
});
