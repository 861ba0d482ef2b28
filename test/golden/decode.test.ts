import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ImageFailure } from '../../src/runtime/image-failure.ts';
import { type DecodedImage, decodeImage, probeImage } from '../../src/shard/decode.ts';

/** Of Pillow's pixels; written by make_decode_goldens.py. */
const golden = z.strictObject({
  width: z.int(),
  height: z.int(),
  orientation: z.int(),
  sha256: z.string(),
  mean: z.tuple([z.number(), z.number(), z.number()]),
});
const goldens = z.strictObject({
  files: z.record(z.string(), golden),
  examples: z.record(z.string(), golden),
});

const DATA = new URL('data/decode/', import.meta.url);
const EXAMPLES = new URL('../../examples/images/', import.meta.url);
const LIMITS = { maxPixels: 100_000_000, timeoutSeconds: 60 };
const { files, examples } = goldens.parse(JSON.parse(readFileSync(new URL('goldens.json', DATA), 'utf8')));

const LOSSY = /\.(jpg|avif)$|jpeg\.tiff$|lossy\.webp$/;
/** Chroma of one sample for four pixels, which libheif repeats and Pillow's libavif interpolates. */
const SUBSAMPLED_AVIF = '420.avif';

const readFixture = (name: string): Buffer => readFileSync(new URL(`files/${name}`, DATA));
const readExample = (name: string): Buffer =>
  readFileSync(new URL(name.split('/').map(encodeURIComponent).join('/'), EXAMPLES));
const readReference = (name: string): Uint8Array =>
  inflateSync(readFileSync(new URL(`reference/${name}.rgb.zz`, DATA)));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const differences = (first: Uint8Array, second: Uint8Array): Uint8Array =>
  first.map((value, index) => Math.abs(value - second[index]!));

function channelMeans({ pixels, height, width }: DecodedImage): number[] {
  const sums = [0, 0, 0];
  pixels.forEach((value, index) => (sums[index % 3]! += value));
  return sums.map((sum) => sum / (height * width));
}

describe.each(Object.entries(files))('%s', (name, expected) => {
  it('is decoded as Pillow does', async () => {
    const image = await decodeImage(readFixture(name), LIMITS);
    const { width, height, orientation } = image;
    expect({ width, height, orientation }).toEqual({
      width: expected.width,
      height: expected.height,
      orientation: expected.orientation,
    });
    expect(image.pixels.buffer.byteLength).toBe(width * height * 3);
    if (!LOSSY.test(name)) expect(sha256(image.pixels)).toBe(expected.sha256);
    else if (name !== SUBSAMPLED_AVIF)
      expect(Math.max(...differences(image.pixels, readReference(name)))).toBeLessThanOrEqual(2);
    else
      channelMeans(image).forEach((mean, channel) => {
        expect(Math.abs(mean - expected.mean[channel]!)).toBeLessThan(1);
      });
  });

  it('tells its upright size and orientation by its header', async () => {
    const { width, height, orientation } = expected;
    await expect(probeImage(readFixture(name), LIMITS)).resolves.toMatchObject({
      width,
      height,
      orientation,
    });
  });
});

describe('the demo images', () => {
  it.each(Object.entries(examples))('%s', async (name, expected) => {
    const image = await decodeImage(readExample(name), LIMITS);
    expect([image.width, image.height, image.orientation]).toEqual([
      expected.width,
      expected.height,
      expected.orientation,
    ]);
    if (!LOSSY.test(name)) expect(sha256(image.pixels)).toBe(expected.sha256);
    channelMeans(image).forEach((mean, channel) => {
      expect(Math.abs(mean - expected.mean[channel]!)).toBeLessThan(0.2);
    });
  });

  it('are thirty that can be decoded and three that fail, each in its own way', async () => {
    const names = readdirSync(EXAMPLES, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(names).toHaveLength(33);
    expect(Object.keys(examples)).toHaveLength(30);
    const failures = await Promise.all(
      ['broken/empty.jpg', 'broken/text.jpg', 'broken/truncated.jpg'].map((name) =>
        decodeImage(readExample(name), LIMITS).catch((error: unknown) => error),
      ),
    );
    expect(failures).toEqual([
      new ImageFailure('empty', 'the file is empty'),
      new ImageFailure('not_an_image', 'no known image format starts with "This i"'),
      new ImageFailure('truncated', 'the JPEG file ends before its image does; copy it again'),
    ]);
    expect(failures.map((failure) => failure instanceof ImageFailure && failure.failureClass)).toEqual([
      'empty',
      'not_an_image',
      'truncated',
    ]);
  });
});

/** Where a file is cut, as shares of its length; a JPEG of this size has its first scan from about 40% on. */
const CUTS = [0.05, 0.2, 0.4, 0.6, 0.8, 0.95];

describe('a file that has been cut off', () => {
  const kinds = Object.keys(files).filter((name) => !/orientation-|animated|pages/.test(name));
  it.each(kinds)('%s', async (name) => {
    const whole = readFixture(name);
    for (const share of CUTS) {
      const cut = whole.subarray(0, Math.ceil(whole.length * share));
      await expect(decodeImage(cut, LIMITS), `${share * 100}%`).rejects.toMatchObject({
        failureClass: 'truncated',
      });
    }
  });

  it('is truncated wherever a JPEG is cut', async () => {
    const whole = readFixture('420.jpg');
    for (let length = 3; length < whole.length - 2; length += 7)
      await expect(decodeImage(whole.subarray(0, length), LIMITS), `${length} bytes`).rejects.toMatchObject({
        failureClass: 'truncated',
      });
  });

  it('is whole as long as the first frame or page is', async () => {
    const whole = readFixture('animated.gif');
    const image = await decodeImage(whole.subarray(0, whole.length - 100), LIMITS);
    expect(sha256(image.pixels)).toBe(files['animated.gif']!.sha256);
  });
});
