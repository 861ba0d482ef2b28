import { describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/model/manifest.ts';
import { finishImage, type PrepareTask, prepareBatch } from '../../../src/shard/image-tasks.ts';
import type { ImageSize, RgbImage } from '../../../src/vision/geometry.ts';
import { manifestOf } from '../model/manifest-fixture.ts';

const size = (height: number, width: number): ImageSize => ({ height, width });
const rgb = (height: number, width: number, ...pixels: number[]): RgbImage => ({
  height,
  width,
  pixels: Uint8Array.from(pixels),
});

const BYTES = manifestOf().input;
const FLOATS: ModelManifest['input'] = { ...BYTES, dtype: 'float32', layout: 'NCHW', scale: 0.5 };

const ONE = rgb(1, 2, 1, 2, 3, 4, 5, 6);
const OTHER = rgb(2, 1, 7, 8, 9, 10, 11, 12);
const BOTH: PrepareTask = {
  images: [ONE, OTHER],
  resized: [size(1, 2), size(2, 1)],
  padded: size(2, 2),
  input: BYTES,
};

describe('prepareBatch', () => {
  it('takes the very bytes of an image that needs no resizing', () => {
    const all = rgb(2, 2, 0, 1, 2, 253, 254, 255, 30, 40, 50, 60, 70, 80);
    const { batch } = prepareBatch({
      images: [all],
      resized: [size(2, 2)],
      padded: size(2, 2),
      input: BYTES,
    });
    expect(batch).toEqual({
      pixels: all.pixels,
      batchSize: 1,
      padded: size(2, 2),
      imageSizes: [size(2, 2)],
    });
  });

  it('puts each image in its place, and zeros to its right and below', () => {
    const { batch } = prepareBatch(BOTH);
    const first = [1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0];
    const second = [7, 8, 9, 0, 0, 0, 10, 11, 12, 0, 0, 0];
    expect(batch.pixels).toEqual(Uint8Array.of(...first, ...second));
    expect(batch).toMatchObject({ batchSize: 2, imageSizes: BOTH.resized });
  });

  it('makes floats in planes where the manifest asks for them', () => {
    const { batch } = prepareBatch({ ...BOTH, input: FLOATS });
    const first = [0.5, 2, 0, 0, 1, 2.5, 0, 0, 1.5, 3, 0, 0];
    const second = [3.5, 0, 5, 0, 4, 0, 5.5, 0, 4.5, 0, 6, 0];
    expect(batch.pixels).toEqual(Float32Array.of(...first, ...second));
  });

  it('pads with the value of the manifest', () => {
    const input = {
      ...BYTES,
      pad: { ...BYTES.pad, value: [114, 115, 116] },
    } satisfies ModelManifest['input'];
    const { batch } = prepareBatch({ images: [ONE], resized: [size(1, 2)], padded: size(1, 3), input });
    expect([...batch.pixels]).toEqual([1, 2, 3, 4, 5, 6, 114, 115, 116]);
  });

  it('resizes an image to its own size', () => {
    const gray = rgb(1, 2, 0, 0, 0, 100, 100, 100);
    const input = {
      ...BYTES,
      resize: { policy: 'fixed', height: 1, width: 4, filter: 'torch-bilinear' },
    } satisfies ModelManifest['input'];
    const { batch } = prepareBatch({ images: [gray], resized: [size(1, 4)], padded: size(1, 4), input });
    expect([...batch.pixels]).toEqual([0, 0, 0, 25, 25, 25, 75, 75, 75, 100, 100, 100]);
  });

  it('hands the buffers back that it was lent', () => {
    const { pixels } = prepareBatch(BOTH);
    expect(pixels[0]).toBe(ONE.pixels);
    expect(pixels[1]).toBe(OTHER.pixels);
  });
});

describe('finishImage', () => {
  const task = {
    raw: {
      boxesXyxy: Float32Array.of(2, 2, 6, 6),
      labels: Int32Array.of(1),
      scores: Float32Array.of(0.9),
    },
    geometry: { original: size(8, 8), resized: size(16, 16) },
    manifest: { boxes: { frame: 'input' } },
  } as const;

  it('draws nothing unasked', () => {
    expect(finishImage(task)).toEqual({
      detections: {
        boxesXyxy: Float32Array.of(1, 1, 3, 3),
        labels: task.raw.labels,
        scores: task.raw.scores,
      },
    });
  });

  it('draws a JPEG', () => {
    const image = { ...size(8, 8), pixels: new Uint8Array(8 * 8 * 3) };
    const styles = [{ label: 1, name: 'card', color: '#ff0000' }];
    const { detections, drawn } = finishImage({ ...task, annotate: { image, styles, minScore: 0.5 } });
    expect(detections.boxesXyxy).toEqual(Float32Array.of(1, 1, 3, 3));
    expect([...drawn!.jpeg.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  });
});
