/**
 * Soft grid -> interpolated -> thresholded -> run lengths, in one pass. Column by column, only where the interpolated
 * grid can reach the threshold; nothing of the image's size is allocated.
 */
import type { AxisTaps } from './axis-taps.ts';
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { boundsAbove, type CellBounds } from './mask-bounds.ts';
import { RunWriter } from './rle.ts';

/** Values on 0..1, row by row, `stride` cells a row; the `height` x `width` at its top left count. */
export interface SoftGrid extends ImageSize {
  readonly values: Float32Array;
  readonly stride: number;
}

export interface Thresholding {
  readonly threshold: number;
  /** Whether a value equal to the threshold is set. */
  readonly inclusive: boolean;
  /** Interpolates between four cells, rounding as the reference does; the weights are those of the right and bottom. */
  readonly interpolate: (
    topLeft: number,
    topRight: number,
    bottomLeft: number,
    bottomRight: number,
    rightWeight: number,
    bottomWeight: number,
  ) => number;
}

/**
 * Above the rounding error of one float32 interpolation of values on 0..1. Pixels between cells that all lie further
 * than this from the threshold need no exact value.
 */
const MARGIN = 1e-5;

/** Consecutive output rows, `from` to `to` (exclusive) in the row taps, between the same two grid rows. */
interface RowBand {
  readonly from: number;
  readonly to: number;
  readonly near: number;
  readonly far: number;
}

/**
 * The mask of an image whose pixel (x, y) is set where the grid, interpolated at `columns` and `rows`, passes the
 * threshold. Pixels without taps are zero. Taps lie in the grid and inside the image.
 */
export function rasterize(
  grid: SoftGrid,
  columns: AxisTaps,
  rows: AxisTaps,
  image: ImageSize,
  { threshold, inclusive, interpolate }: Thresholding,
): EncodedMask {
  const { values, stride } = grid;
  const active = boundsAbove(values, stride, grid, threshold - MARGIN);
  const bands = rowBands(rows, active);
  const firstRow = Math.max(active.top - 1, 0);
  const endRow = Math.min(active.bottom + 1, grid.height);
  const column = new Float32Array(grid.height);
  const writer = new RunWriter();

  for (let n = 0; n < columns.near.length; n++) {
    const near = columns.near[n]!;
    const far = columns.far[n]!;
    if (far < active.left || near >= active.right) continue;
    const farWeight = columns.farWeight[n]!;
    for (let row = firstRow; row < endRow; row++) {
      const left = values[row * stride + near]!;
      column[row] = left + (values[row * stride + far]! - left) * farWeight;
    }
    const top = (columns.start + n) * image.height + rows.start;
    for (const band of bands) {
      const above = column[band.near]!;
      const below = column[band.far]!;
      if (above < threshold - MARGIN && below < threshold - MARGIN) continue;
      if (above > threshold + MARGIN && below > threshold + MARGIN) {
        writer.addSpan(top + band.from, top + band.to);
        continue;
      }
      const [upper, lower] = [band.near * stride, band.far * stride];
      for (let y = band.from; y < band.to; y++) {
        const value = interpolate(
          values[upper + near]!,
          values[upper + far]!,
          values[lower + near]!,
          values[lower + far]!,
          farWeight,
          rows.farWeight[y]!,
        );
        if (value > threshold || (inclusive && value === threshold)) writer.addSpan(top + y, top + y + 1);
      }
    }
  }
  return writer.encode(image);
}

function rowBands({ near, far }: AxisTaps, active: CellBounds): RowBand[] {
  const bands: RowBand[] = [];
  for (let from = 0, to = 0; from < near.length; from = to) {
    while (to < near.length && near[to] === near[from] && far[to] === far[from]) to++;
    if (far[from]! >= active.top && near[from]! < active.bottom)
      bands.push({ from, to, near: near[from]!, far: far[from]! });
  }
  return bands;
}

const { fround } = Math;

/** As PyTorch's bilinear `F.interpolate`: across, then down, each product and sum rounded to float32. */
export function torchLerp(
  topLeft: number,
  topRight: number,
  bottomLeft: number,
  bottomRight: number,
  rightWeight: number,
  bottomWeight: number,
): number {
  const leftWeight = fround(1 - rightWeight);
  const top = fround(topLeft * leftWeight + fround(topRight * rightWeight));
  const bottom = fround(bottomLeft * leftWeight + fround(bottomRight * rightWeight));
  return fround(top * fround(1 - bottomWeight) + fround(bottom * bottomWeight));
}
