/**
 * Mask paste fused with run-length encoding: a model's mask grid goes onto the original image in one interpolation.
 * Coordinates are the original image's pixels; arithmetic is float32, rounded where the reference rounds, so that the
 * binary mask is the reference's, pixel by pixel.
 */
import { type AxisTaps, emptyTaps, torchBilinearTaps } from './axis-taps.ts';
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { rasterize, type SoftGrid, type Thresholding, torchLerp } from './rasterize.ts';

const { ceil, floor, fround, max, min, trunc } = Math;

export interface PasteOptions {
  /** Whose paste: torchvision's, or detectron2's and MMDetection's. They differ by up to a pixel along the edge. */
  readonly convention: 'torchvision' | 'detectron2';
  /** 0..1; torchvision sets what exceeds it, detectron2 what reaches it. */
  readonly threshold: number;
}

/** How one framework lays a grid over a box. */
interface Convention extends Omit<Thresholding, 'threshold'> {
  /**
   * Taps into the bordered grid along one axis, for the pixels of an image of `pixels` that a box from `low` to `high`
   * can reach; `cells` is the grid's side without its border.
   */
  readonly axisTaps: (low: number, high: number, cells: number, pixels: number) => AxisTaps;
}

const CONVENTIONS: Readonly<Record<PasteOptions['convention'], Convention>> = {
  torchvision: { axisTaps: expandedBoxTaps, interpolate: torchLerp, inclusive: false },
  detectron2: { axisTaps: gridSampleTaps, interpolate: gridSample, inclusive: true },
};

/**
 * The mask of one detection on its image. A box that holds no pixel, or lies outside the image, gives an empty mask.
 *
 * @param grid [gridSize.height, gridSize.width] probabilities, row by row.
 * @param boxXyxy [4] the detection's box, which the grid spans; may reach over the image's edges.
 */
export function pasteMask(
  grid: Float32Array,
  gridSize: ImageSize,
  boxXyxy: ArrayLike<number>,
  image: ImageSize,
  { convention, threshold }: PasteOptions,
): EncodedMask {
  const { axisTaps, ...rule } = CONVENTIONS[convention];
  const columns = axisTaps(boxXyxy[0]!, boxXyxy[2]!, gridSize.width, image.width);
  const rows = axisTaps(boxXyxy[1]!, boxXyxy[3]!, gridSize.height, image.height);
  // Frameworks compare in float32.
  return rasterize(withBorder(grid, gridSize), columns, rows, image, {
    ...rule,
    threshold: fround(threshold),
  });
}

/** The grid with a border of zeros, one cell wide. */
function withBorder(grid: Float32Array, { height, width }: ImageSize): SoftGrid {
  const stride = width + 2;
  const values = new Float32Array((height + 2) * stride);
  for (let row = 0; row < height; row++)
    values.set(grid.subarray(row * width, (row + 1) * width), (row + 1) * stride + 1);
  return { values, stride, height: height + 2, width: stride };
}

/**
 * torchvision, models/detection/roi_heads.py: the box grows with the border (`expand_masks`, `expand_boxes`), is cut to
 * whole pixels towards zero, both ends belonging to it, and is filled by `F.interpolate` (`paste_mask_in_image`).
 */
function expandedBoxTaps(low: number, high: number, cells: number, pixels: number): AxisTaps {
  const growth = fround((cells + 2) / cells);
  const half = fround(fround(fround(high - low) * 0.5) * growth);
  const centre = fround(fround(high + low) * 0.5);
  const first = trunc(fround(centre - half));
  const last = trunc(fround(centre + half));
  const start = max(first, 0);
  const end = min(last + 1, pixels);
  const taps = torchBilinearTaps(cells + 2, max(last - first + 1, 1), start - first, end - first);
  return { ...taps, start };
}

/**
 * detectron2, layers/mask_ops.py, `_do_paste_mask`: the grid is sampled at the pixels' centres, in the box as it is and
 * one pixel around it (`F.grid_sample`, bilinear, zeros outside, `align_corners=False`). MMDetection's fcn_mask_head.py
 * does the same.
 */
function gridSampleTaps(low: number, high: number, cells: number, pixels: number): AxisTaps {
  const extent = fround(high - low);
  const start = max(floor(low) - 1, 0);
  const taps = emptyTaps(start, extent > 0 ? min(ceil(high) + 1, pixels) - start : 0);
  for (let n = 0; n < taps.near.length; n++) {
    const position = fround(fround(fround(start + n + 0.5 - low) / extent) * 2 - 1);
    const source = fround(fround(position + 1) * (cells / 2) - 0.5);
    const near = floor(source);
    // Off the grid both taps stay on the border.
    if (near < -1 || near >= cells) continue;
    taps.near[n] = near + 1;
    taps.far[n] = near + 2;
    taps.farWeight[n] = source - near;
  }
  return taps;
}

/** As PyTorch's `grid_sample`: four weights, summed in its order with fused multiply-adds. */
function gridSample(
  topLeft: number,
  topRight: number,
  bottomLeft: number,
  bottomRight: number,
  rightWeight: number,
  bottomWeight: number,
): number {
  const leftWeight = fround(1 - rightWeight);
  const topWeight = fround(1 - bottomWeight);
  let sum = fround(topLeft * fround(leftWeight * topWeight));
  sum = fround(topRight * fround(rightWeight * topWeight) + sum);
  sum = fround(bottomLeft * fround(leftWeight * bottomWeight) + sum);
  return fround(bottomRight * fround(rightWeight * bottomWeight) + sum);
}
