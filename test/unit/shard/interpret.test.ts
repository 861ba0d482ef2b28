import { describe, expect, it } from 'vitest';
import type { RawDetections } from '../../../src/model/contracts/contract.ts';
import type { ModelManifest } from '../../../src/model/manifest.ts';
import { type ImageGeometry, interpret } from '../../../src/shard/interpret.ts';
import type { EncodedMask } from '../../../src/vision/detections.ts';
import type { ImageSize } from '../../../src/vision/geometry.ts';
import { decodeRle } from '../../../src/vision/rle.ts';
import { maskFromRuns } from '../vision/mask-from-runs.ts';

type Masks = NonNullable<ModelManifest['masks']>;

const BOX_MASKS: Masks = { frame: 'box', values: 'probability', threshold: 0.5, paste: 'detectron2' };
const INPUT_MASKS: Masks = { ...BOX_MASKS, frame: 'input' };
const IMAGE_MASKS: Masks = { ...BOX_MASKS, frame: 'image' };

const size = (height: number, width: number): ImageSize => ({ height, width });
const square = (side: number): ImageSize => size(side, side);
const unchanged = (original: ImageSize): ImageGeometry => ({ original, resized: original });

/** One detection for each box, all alike. */
function rawOf(boxes: readonly number[][], masks?: RawDetections['masks']): RawDetections {
  return {
    boxesXyxy: Float32Array.from(boxes.flat()),
    labels: Int32Array.from(boxes, () => 1),
    scores: Float32Array.from(boxes, () => 0.5),
    ...(masks ? { masks } : {}),
  };
}

const grids = ({ height, width }: ImageSize, ...values: number[]): RawDetections['masks'] => ({
  height,
  width,
  values: Float32Array.from(values),
});

const filled = (grid: ImageSize, value: number): number[] =>
  Array.from({ length: grid.height * grid.width }, () => value);

/** A mask as rows of `#` and `.`. */
function draw(mask: EncodedMask, image: ImageSize): string[] {
  const pixels = maskFromRuns(decodeRle(mask.counts), image);
  return Array.from({ length: image.height }, (_, y) =>
    Array.from(pixels.subarray(y * image.width, (y + 1) * image.width), (set) => (set ? '#' : '.')).join(''),
  );
}

function masksOf(
  raw: RawDetections,
  geometry: ImageGeometry,
  masks: Masks,
  frame: 'input' | 'image' = 'input',
) {
  const detections = interpret(raw, geometry, { boxes: { frame }, masks });
  return detections.masks?.map((mask) => draw(mask, geometry.original));
}

describe('boxes', () => {
  const geometry = { original: size(50, 400), resized: size(100, 200) };
  const raw = rawOf([
    [20, 10, 40, 30],
    [-2, 0, 200, 100],
  ]);

  it('of the input frame are scaled by axis to the original image', () => {
    const { boxesXyxy, labels, scores } = interpret(raw, geometry, { boxes: { frame: 'input' } });
    expect([...boxesXyxy]).toEqual([40, 5, 80, 15, -4, 0, 400, 50]);
    expect([labels, scores]).toEqual([raw.labels, raw.scores]);
  });

  it('of the image frame are left alone', () => {
    const { boxesXyxy } = interpret(raw, geometry, { boxes: { frame: 'image' } });
    expect([...boxesXyxy]).toEqual([20, 10, 40, 30, -2, 0, 200, 100]);
  });
});

describe('masks of the box frame', () => {
  const original = size(6, 8);
  const filledGrid = grids(square(4), ...filled(square(4), 1));
  const PASTED = ['........', '.####...', '.####...', '.####...', '........', '........'];

  it('are pasted over their box', () => {
    expect(masksOf(rawOf([[1, 1, 5, 4]], filledGrid), unchanged(original), BOX_MASKS)).toEqual([PASTED]);
  });

  it('are pasted where the box is in the original image, in one go', () => {
    const geometry = { original, resized: size(12, 16) };
    expect(masksOf(rawOf([[2, 2, 10, 8]], filledGrid), geometry, BOX_MASKS)).toEqual([PASTED]);
    expect(masksOf(rawOf([[1, 1, 5, 4]], filledGrid), geometry, BOX_MASKS, 'image')).toEqual([PASTED]);
  });

  it('are pasted as the manifest says: by whose paste, at which threshold', () => {
    const half = grids(square(4), ...filled(square(4), 0.5));
    const box = [[1, 1, 5, 4]];
    const torchvision: Masks = { ...BOX_MASKS, paste: 'torchvision' };
    expect(masksOf(rawOf(box, filledGrid), unchanged(original), torchvision)).toEqual([
      ['........', '.#####..', '.#####..', '.#####..', '........', '........'],
    ]);
    const empty = [Array.from({ length: 6 }, () => '........')];
    expect(masksOf(rawOf(box, half), unchanged(original), { ...BOX_MASKS, threshold: 0.6 })).toEqual(empty);
  });

  it('each get their own grid', () => {
    const two = grids(square(4), ...filled(square(4), 0), ...filled(square(4), 1));
    const boxes = [
      [0, 0, 8, 6],
      [1, 1, 5, 4],
    ];
    const empty = Array.from({ length: 6 }, () => '........');
    expect(masksOf(rawOf(boxes, two), unchanged(original), BOX_MASKS)).toEqual([empty, PASTED]);
  });
});

describe('masks of the image frame', () => {
  it('are taken pixel by pixel, whatever the network saw', () => {
    const masks = grids(size(2, 3), 0, 1, 0, 1, 1, 0, ...filled(size(2, 3), 1));
    const boxes = [
      [0, 0, 3, 2],
      [0, 0, 3, 2],
    ];
    const geometry = { original: size(2, 3), resized: size(20, 30) };
    expect(masksOf(rawOf(boxes, masks), geometry, IMAGE_MASKS)).toEqual([
      ['.#.', '##.'],
      ['###', '###'],
    ]);
  });
});

describe('masks of the input frame', () => {
  const box = [[0, 0, 2, 2]];

  it('lose the padding of the input', () => {
    const padded = grids(size(3, 4), 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1);
    expect(masksOf(rawOf(box, padded), unchanged(square(2)), INPUT_MASKS)).toEqual([['#.', '.#']]);
  });

  it('are interpolated to the original image', () => {
    // 0, 0.25, 0.75, 1
    const mask = grids(size(1, 2), 0, 1);
    const geometry = { original: size(1, 4), resized: size(1, 2) };
    expect(masksOf(rawOf(box, mask), geometry, INPUT_MASKS)).toEqual([['..##']]);
    expect(masksOf(rawOf(box, mask), geometry, { ...INPUT_MASKS, threshold: 0.2 })).toEqual([['.###']]);
  });
});

describe('masks there are none', () => {
  const raw = rawOf([[0, 0, 2, 2]], grids(square(2), 1, 1, 1, 1));
  const manifest = { boxes: { frame: 'image' }, masks: BOX_MASKS } as const;

  it('where the manifest has none, or the graph returned none', () => {
    expect(interpret(raw, unchanged(square(2)), { boxes: { frame: 'image' } })).not.toHaveProperty('masks');
    expect(interpret(rawOf([[0, 0, 2, 2]]), unchanged(square(2)), manifest)).not.toHaveProperty('masks');
  });

  it('for an image without detections', () => {
    expect(interpret(rawOf([], grids(square(2))), unchanged(square(2)), manifest)).toEqual({
      boxesXyxy: new Float32Array(0),
      labels: new Int32Array(0),
      scores: new Float32Array(0),
      masks: [],
    });
  });
});
