import { describe, expect, it } from 'vitest';
import { type PasteOptions, pasteMask } from '../../../src/vision/paste.ts';
import { decodeRle } from '../../../src/vision/rle.ts';
import { maskFromRuns } from './mask-from-runs.ts';

const conventions = ['torchvision', 'detectron2'] as const;
const image = { height: 6, width: 8 };

function paste(
  grid: number[],
  box: number[],
  convention: PasteOptions['convention'],
  threshold = 0.5,
): { rows: string[]; area: number } {
  const side = Math.sqrt(grid.length);
  const mask = pasteMask(Float32Array.from(grid), { height: side, width: side }, box, image, {
    convention,
    threshold,
  });
  const pixels = maskFromRuns(decodeRle(mask.counts), image);
  const rows = Array.from({ length: image.height }, (_, y) =>
    Array.from(pixels.subarray(y * image.width, (y + 1) * image.width), (set) => (set ? '#' : '.')).join(''),
  );
  return { rows, area: mask.area };
}

const ones = Array.from({ length: 16 }, () => 1);
const empty = { rows: Array.from({ length: 6 }, () => '........'), area: 0 };

describe.each(conventions)('pasteMask, %s', (convention) => {
  it('sets nothing for an empty grid', () => {
    expect(
      paste(
        ones.map(() => 0),
        [1, 1, 5, 5],
        convention,
      ),
    ).toEqual(empty);
  });

  it('clips at every edge of the image', () => {
    const { rows, area } = paste(ones, [-50, -50, 50, 50], convention);
    expect(rows).toEqual(Array.from({ length: 6 }, () => '########'));
    expect(area).toBe(48);
  });

  it.each([
    ['left', [-90, 1, -10, 5]],
    ['right', [20, 1, 90, 5]],
    ['above', [1, -90, 5, -10]],
    ['below', [1, 20, 5, 90]],
  ])('sets nothing for a box that lies outside, %s', (_, box) => {
    expect(paste(ones, box, convention)).toEqual(empty);
  });

  it('sets nothing for a box that is not a number', () => {
    expect(paste(ones, [NaN, NaN, NaN, NaN], convention)).toEqual(empty);
  });

  it('is the same after other masks', () => {
    const first = paste(ones, [1, 1, 5, 5], convention);
    paste(ones, [0, 0, 8, 6], convention);
    expect(paste(ones, [1, 1, 5, 5], convention)).toEqual(first);
  });
});

describe('the conventions', () => {
  it('torchvision fills the grown box, cut to whole pixels', () => {
    // 3 +- 2 across grows to 0..6, 2.5 +- 1.5 down to 0.25..4.75: 7 x 5 pixels for a grid of 4 + 2 cells.
    expect(paste(ones, [1, 1, 5, 4], 'torchvision')).toEqual({
      rows: ['........', '.#####..', '.#####..', '.#####..', '........', '........'],
      area: 15,
    });
  });

  it('detectron2 fills the pixels whose centres lie in the box', () => {
    expect(paste(ones, [1, 1, 5, 4], 'detectron2')).toEqual({
      rows: ['........', '.####...', '.####...', '.####...', '........', '........'],
      area: 12,
    });
  });

  it('differ at the threshold itself', () => {
    const half = ones.map(() => 0.5);
    expect(paste(half, [-50, -50, 50, 50], 'torchvision').area).toBe(0);
    expect(paste(half, [-50, -50, 50, 50], 'detectron2').area).toBe(48);
  });

  it('take other thresholds, rounded to float32 as the values are', () => {
    const values = ones.map(() => 0.3);
    expect(paste(values, [-50, -50, 50, 50], 'torchvision', 0.3).area).toBe(0);
    expect(paste(values, [-50, -50, 50, 50], 'torchvision', 0.29).area).toBe(48);
    expect(paste(values, [-50, -50, 50, 50], 'detectron2', 0.3).area).toBe(48);
  });

  it('have an answer for a box without extent', () => {
    expect(paste(ones, [3, 2, 3, 2], 'torchvision').area).toBe(1);
    expect(paste(ones, [3, 2, 3, 2], 'detectron2').area).toBe(0);
  });
});
