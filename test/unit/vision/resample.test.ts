import { describe, expect, it } from 'vitest';
import type { RgbImage } from '../../../src/vision/geometry.ts';
import type { NetworkInput } from '../../../src/vision/network-input.ts';
import { resampleInto, SUPPORTED_FILTERS } from '../../../src/vision/resample.ts';

const plain: NetworkInput = {
  layout: 'NHWC',
  color: 'RGB',
  resize: { policy: 'fixed', filter: 'torch-bilinear' },
  pad: { value: [0, 0, 0] },
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

const at = (height: number, width: number) => ({ height, width });
const rgb = (height: number, width: number, ...pixels: number[]): RgbImage => ({
  height,
  width,
  pixels: Uint8Array.from(pixels),
});
const twoPixels = rgb(1, 2, 10, 20, 30, 40, 50, 60);
const oneSlot = { index: 0, padded: at(1, 2), resized: at(1, 2) };

const floats = (input: NetworkInput) => {
  const batch = new Float32Array(6);
  resampleInto(batch, oneSlot, twoPixels, input);
  return Array.from(batch);
};

describe('an image of the right size', () => {
  it('is passed on untouched', () => {
    expect(floats(plain)).toEqual([10, 20, 30, 40, 50, 60]);
    const batch = new Uint8Array(6);
    resampleInto(batch, oneSlot, twoPixels, { ...plain, resize: { policy: 'none' } });
    expect(Array.from(batch)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('can change its channel order and its layout', () => {
    expect(floats({ ...plain, color: 'BGR' })).toEqual([30, 20, 10, 60, 50, 40]);
    expect(floats({ ...plain, layout: 'NCHW' })).toEqual([10, 40, 20, 50, 30, 60]);
    expect(floats({ ...plain, layout: 'NCHW', color: 'BGR' })).toEqual([30, 60, 20, 50, 10, 40]);
  });

  it('is scaled, shifted and divided by channel of the network', () => {
    const input = { ...plain, scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] } as const;
    expect(floats(input)).toEqual([4, 4, 3, 19, 11.5, 6.75]);
    expect(floats({ ...input, color: 'BGR' })).toEqual([14, 4, 0.5, 29, 11.5, 4.25]);
  });

  it('on 0..1 is x / 255 in float32, for every grey level', () => {
    const levels = rgb(1, 256, ...Array.from({ length: 768 }, (_, n) => Math.floor(n / 3)));
    const batch = new Float32Array(768);
    resampleInto(batch, { index: 0, padded: at(1, 256), resized: at(1, 256) }, levels, {
      ...plain,
      scale: 1 / 255,
    });
    expect(batch).toEqual(Float32Array.from(levels.pixels, (level) => level / 255));
  });
});

describe('torch-bilinear', () => {
  const grays = (batch: ArrayLike<number>) => Array.from(batch).filter((_, n) => n % 3 === 0);
  const resize = (image: RgbImage, height: number, width: number) => {
    const batch = new Float32Array(height * width * 3);
    resampleInto(batch, { index: 0, padded: at(height, width), resized: at(height, width) }, image, plain);
    return grays(batch);
  };
  const gray = (height: number, width: number, ...levels: number[]) =>
    rgb(height, width, ...levels.flatMap((level) => [level, level, level]));

  it('interpolates between the centres of the pixels, and repeats the edge', () => {
    expect(resize(gray(1, 2, 0, 100), 1, 4)).toEqual([0, 25, 75, 100]);
    expect(resize(gray(2, 1, 0, 100), 4, 1)).toEqual([0, 25, 75, 100]);
    expect(resize(gray(2, 2, 0, 100, 200, 40), 2, 2)).toEqual([0, 100, 200, 40]);
  });

  it('does not average more than two pixels an axis', () => {
    expect(resize(gray(1, 6, 9, 0, 9, 9, 6, 9), 1, 2)).toEqual([0, 6]);
    expect(resize(gray(4, 1, 0, 10, 30, 80), 1, 1)).toEqual([20]);
  });

  it('keeps an area of one colour exactly', () => {
    const white = gray(5, 7, ...Array.from({ length: 35 }, () => 255));
    expect(new Set(resize(white, 13, 11))).toEqual(new Set([255]));
    expect(new Set(resize(white, 3, 4))).toEqual(new Set([255]));
  });

  it('rounds bytes to the nearest, halves to even', () => {
    const image = gray(1, 2, 0, 2);
    const batch = new Uint8Array(12);
    resampleInto(batch, { index: 0, padded: at(1, 4), resized: at(1, 4) }, image, plain);
    // 0, 0.5, 1.5, 2
    expect(grays(batch)).toEqual([0, 0, 2, 2]);
  });
});

describe('a slot of a batch', () => {
  const slot = { index: 1, padded: at(2, 3), resized: at(1, 2) };

  it('is padded at the right and the bottom, whatever was there, and its neighbours are left alone', () => {
    const batch = new Float32Array(3 * 18).fill(-1);
    resampleInto(batch, slot, twoPixels, { ...plain, pad: { value: [7, 8, 9] } });
    const padding = [7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9];
    expect(Array.from(batch.subarray(18, 36))).toEqual([10, 20, 30, 40, 50, 60].concat(padding));
    expect(new Set([...batch.subarray(0, 18), ...batch.subarray(36)])).toEqual(new Set([-1]));
  });

  it('is padded in planes, with values as the network sees them', () => {
    const batch = new Float32Array(3 * 18).fill(-1);
    const input = { ...plain, layout: 'NCHW', color: 'BGR', scale: 0.1, pad: { value: [7, 8, 9] } } as const;
    resampleInto(batch, slot, twoPixels, input);
    const planes = [3, 6, 7, 7, 7, 7, 2, 5, 8, 8, 8, 8, 1, 4, 9, 9, 9, 9];
    expect(batch.subarray(18, 36)).toEqual(Float32Array.from(planes));
    expect(new Set([...batch.subarray(0, 18), ...batch.subarray(36)])).toEqual(new Set([-1]));
  });

  it('of bytes may lie in a larger buffer', () => {
    const buffer = new ArrayBuffer(5 + 36);
    resampleInto(new Uint8Array(buffer, 5), slot, twoPixels, { ...plain, color: 'BGR' });
    const all = Array.from(new Uint8Array(buffer));
    expect(all.slice(5 + 18, 5 + 24)).toEqual([30, 20, 10, 60, 50, 40]);
    expect([...all.slice(0, 23), ...all.slice(29)].every((value) => value === 0)).toBe(true);
  });
});

describe('what does not fit is refused', () => {
  const refuse = (slot: typeof oneSlot, image: RgbImage, input: NetworkInput, batch = new Uint8Array(6)) =>
    expect(() => resampleInto(batch, slot, image, input));

  it('a filter of another version', () => {
    const input = { ...plain, resize: { policy: 'fixed', filter: 'pillow-bilinear' } };
    const larger = { ...oneSlot, padded: at(2, 3), resized: at(2, 3) };
    refuse(larger, twoPixels, input, new Uint8Array(18)).toThrow(
      new RangeError('this version does not have the resize filter "pillow-bilinear"; it has torch-bilinear'),
    );
    expect(SUPPORTED_FILTERS).toEqual(['torch-bilinear']);
  });

  it('bytes that are to be normalised', () => {
    refuse(oneSlot, twoPixels, { ...plain, scale: 1 / 255 }).toThrow('a uint8 input takes no "scale"');
  });

  it('sizes that contradict each other', () => {
    refuse({ ...oneSlot, index: 1 }, twoPixels, plain).toThrow('exceeds the batch of 6 values');
    refuse({ ...oneSlot, resized: at(1, 3) }, twoPixels, plain).toThrow('1x3 padded to 1x2');
    refuse(oneSlot, { ...twoPixels, width: 3 }, plain).toThrow('an image of 1x3 has 6 bytes');
  });
});
