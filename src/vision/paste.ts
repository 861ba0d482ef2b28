/**
 * Mask paste fused with run-length encoding: a model's mask grid goes onto the original image column by column inside
 * the box, and what lies outside is counted, not stored. Nothing of the image's size is allocated.
 *
 * M: the grid's side (28). Coordinates are the original image's pixels. Arithmetic is float32, rounded where the
 * reference rounds, so that the binary mask is the reference's.
 */
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { RunWriter } from './rle.ts';

const { fround, floor, ceil, trunc, min, max } = Math;

export interface PasteOptions {
  /** Whose paste: torchvision's, or detectron2's and MMDetection's. They differ by up to a pixel along the edge. */
  readonly convention: 'torchvision' | 'detectron2';
  /** 0..1; torchvision sets what exceeds it, detectron2 what reaches it. */
  readonly threshold: number;
}

const writer = new RunWriter();

/**
 * The mask of one detection on its image.
 *
 * @param grid [M, M] probabilities, row by row.
 * @param boxXyxy [4] the detection's box, which the grid spans; may lie outside the image.
 */
export function pasteMask(
  grid: Float32Array,
  gridSize: ImageSize,
  boxXyxy: ArrayLike<number>,
  image: ImageSize,
  { convention, threshold }: PasteOptions,
): EncodedMask {
  return convention === 'torchvision'
    ? pasteTorchvision(grid, gridSize, boxXyxy, image, fround(threshold))
    : pasteDetectron2(grid, gridSize, boxXyxy, image, fround(threshold));
}

/** torchvision, models/detection/roi_heads.py: `expand_masks`, `expand_boxes`, `paste_mask_in_image`; `> threshold`. */
function pasteTorchvision(
  grid: Float32Array,
  gridSize: ImageSize,
  box: ArrayLike<number>,
  image: ImageSize,
  threshold: number,
): EncodedMask {
  const padded = zeroBorder(grid, gridSize);
  const [rowsPadded, columnsPadded] = [gridSize.height + 2, gridSize.width + 2];
  const xSpan = expandedSpan(box[0]!, box[2]!, gridSize.width);
  const ySpan = expandedSpan(box[1]!, box[3]!, gridSize.height);
  const region = {
    x0: max(xSpan.start, 0),
    x1: min(xSpan.start + xSpan.length, image.width),
    y0: max(ySpan.start, 0),
    y1: min(ySpan.start + ySpan.length, image.height),
  };
  const xTaps = bilinearTaps(region.x0 - xSpan.start, region.x1 - region.x0, columnsPadded, xSpan.length);
  const yTaps = bilinearTaps(region.y0 - ySpan.start, region.y1 - region.y0, rowsPadded, ySpan.length);
  const column = new Float32Array(rowsPadded);
  return encodeRegion(image, region, (x, pixels) => {
    const [left, right] = [xTaps.low[x]!, xTaps.high[x]!];
    const [wLeft, wRight] = [xTaps.lowWeight[x]!, xTaps.highWeight[x]!];
    for (let row = 0, at = 0; row < rowsPadded; row++, at += columnsPadded)
      column[row] = padded[at + left]! * wLeft + fround(padded[at + right]! * wRight);
    for (let y = 0; y < pixels.length; y++) {
      const below = fround(column[yTaps.high[y]!]! * yTaps.highWeight[y]!);
      pixels[y] = fround(column[yTaps.low[y]!]! * yTaps.lowWeight[y]! + below) > threshold ? 1 : 0;
    }
  });
}

/**
 * detectron2, layers/mask_ops.py `_do_paste_mask`: `grid_sample` of the grid at pixel centres, bilinear, zeros outside,
 * `align_corners=False`; `>= threshold`. MMDetection's is the same but for degenerate boxes, which it samples at 0.
 */
function pasteDetectron2(
  grid: Float32Array,
  gridSize: ImageSize,
  box: ArrayLike<number>,
  image: ImageSize,
  threshold: number,
): EncodedMask {
  const padded = zeroBorder(grid, gridSize);
  const columnsPadded = gridSize.width + 2;
  const region = {
    x0: max(floor(box[0]!) - 1, 0),
    x1: min(ceil(box[2]!) + 1, image.width),
    y0: max(floor(box[1]!) - 1, 0),
    y1: min(ceil(box[3]!) + 1, image.height),
  };
  const xTaps = gridSampleTaps(region.x0, region.x1, box[0]!, box[2]!, gridSize.width);
  const yTaps = gridSampleTaps(region.y0, region.y1, box[1]!, box[3]!, gridSize.height);
  return encodeRegion(image, region, (x, pixels) => {
    const [left, right] = [xTaps.low[x]!, xTaps.high[x]!];
    const [wLeft, wRight] = [xTaps.lowWeight[x]!, xTaps.highWeight[x]!];
    for (let y = 0; y < pixels.length; y++) {
      const [top, bottom] = [yTaps.low[y]! * columnsPadded, yTaps.high[y]! * columnsPadded];
      const [wTop, wBottom] = [yTaps.lowWeight[y]!, yTaps.highWeight[y]!];
      const northWest = fround(padded[top + left]! * fround(wLeft * wTop));
      const north = fround(padded[top + right]! * fround(wRight * wTop) + northWest);
      const northAndSouthWest = fround(padded[bottom + left]! * fround(wLeft * wBottom) + north);
      const value = fround(padded[bottom + right]! * fround(wRight * wBottom) + northAndSouthWest);
      pixels[y] = value >= threshold ? 1 : 0;
    }
  });
}

interface Region {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

/** Asks for the pixels of each column of `region`; all else of the image is zero. */
function encodeRegion(
  image: ImageSize,
  { x0, x1, y0, y1 }: Region,
  fillColumn: (x: number, pixels: Uint8Array) => void,
): EncodedMask {
  if (x1 <= x0 || y1 <= y0) {
    writer.push(0, image.height * image.width);
    return writer.finish();
  }
  const pixels = new Uint8Array(y1 - y0);
  const gap = image.height - pixels.length;
  writer.push(0, x0 * image.height + y0);
  for (let x = 0; x < x1 - x0; x++) {
    if (x > 0) writer.push(0, gap);
    fillColumn(x, pixels);
    for (let y = 0; y < pixels.length;) {
      const value = pixels[y] === 1 ? 1 : 0;
      const start = y;
      while (y < pixels.length && pixels[y] === value) y++;
      writer.push(value, y - start);
    }
  }
  writer.push(0, (image.width - x1) * image.height + image.height - y1);
  return writer.finish();
}

/** [M, M] -> [M + 2, M + 2] with zeros around. */
function zeroBorder(grid: Float32Array, { height, width }: ImageSize): Float32Array {
  const padded = new Float32Array((height + 2) * (width + 2));
  for (let row = 0; row < height; row++)
    padded.set(grid.subarray(row * width, (row + 1) * width), (row + 1) * (width + 2) + 1);
  return padded;
}

/** The pixels that the grid with its border covers along an axis: the box grown by (M + 2) / M, whole pixels. */
function expandedSpan(low: number, high: number, side: number): { start: number; length: number } {
  const scale = fround((side + 2) / side);
  const half = fround(fround(fround(high - low) * 0.5) * scale);
  const centre = fround(fround(high + low) * 0.5);
  const start = trunc(fround(centre - half));
  return { start, length: max(trunc(fround(centre + half)) - start + 1, 1) };
}

/** For each output pixel along an axis: the two inputs between which it lies, and their weights. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowWeight: Float32Array;
  readonly highWeight: Float32Array;
}

const emptyTaps = (length: number): Taps => ({
  low: new Int32Array(length),
  high: new Int32Array(length),
  lowWeight: new Float32Array(length),
  highWeight: new Float32Array(length),
});

/** `F.interpolate(mode="bilinear", align_corners=False)`, outputs `first` to `first + count` of `outputs`. */
function bilinearTaps(first: number, count: number, inputs: number, outputs: number): Taps {
  const taps = emptyTaps(max(count, 0));
  const scale = fround(inputs / outputs);
  for (let n = 0; n < count; n++) {
    const source = max(fround(scale * (first + n + 0.5) - 0.5), 0);
    taps.low[n] = source;
    taps.high[n] = min(taps.low[n]! + 1, inputs - 1);
    taps.highWeight[n] = source - taps.low[n]!;
    taps.lowWeight[n] = 1 - taps.highWeight[n]!;
  }
  return taps;
}

/** Taps into the bordered grid for pixels `from` to `to`; those outside the grid fall on its border of zeros. */
function gridSampleTaps(from: number, to: number, low: number, high: number, side: number): Taps {
  const taps = emptyTaps(max(to - from, 0));
  const extent = fround(high - low);
  for (let n = 0; n < to - from; n++) {
    const position = fround(fround(fround(from + n + 0.5) - low) / extent);
    const centred = Number.isFinite(position) ? fround(position * 2 - 1) : 0;
    const source = fround(fround(centred + 1) * (side / 2) - 0.5);
    const below = floor(source);
    taps.low[n] = min(max(below + 1, 0), side + 1);
    taps.high[n] = min(max(below + 2, 0), side + 1);
    taps.highWeight[n] = source - below;
    taps.lowWeight[n] = 1 - taps.highWeight[n]!;
  }
  return taps;
}
