import { torchBilinearTaps } from './axis-taps.ts';
import type { ImageSize, RgbImage } from './geometry.ts';

/** Rows of a resized image, one at a time: [width, 3] on 0..255, R G B. Each call may overwrite the row of the last. */
export type RowSource = (y: number) => Float32Array;

interface SourceRow {
  y: number;
  readonly values: Float32Array;
}

/**
 * `F.interpolate(mode="bilinear", align_corners=False)` without antialiasing, the scale being in / out: what
 * torchvision's detectors resize with. Across first, then down; a source row is resized across once, however many
 * output rows it serves. Areas of one colour keep it exactly.
 */
export function torchBilinear(image: RgbImage, resized: ImageSize): RowSource {
  const { height, width, pixels } = image;
  const columns = torchBilinearTaps(width, resized.width);
  const rows = torchBilinearTaps(height, resized.height);
  const left = columns.near.map((x) => x * 3);
  const right = columns.far.map((x) => x * 3);
  const rightWeight = columns.farWeight;
  const length = resized.width * 3;
  let upper: SourceRow = { y: -1, values: new Float32Array(length) };
  let lower: SourceRow = { y: -1, values: new Float32Array(length) };
  const blended = new Float32Array(length);

  const resizeAcross = (y: number, row: SourceRow): void => {
    const { values } = row;
    const start = y * width * 3;
    for (let x = 0, at = 0; at < length; x++, at += 3) {
      const a = start + left[x]!;
      const b = start + right[x]!;
      const weight = rightWeight[x]!;
      values[at] = pixels[a]! + (pixels[b]! - pixels[a]!) * weight;
      values[at + 1] = pixels[a + 1]! + (pixels[b + 1]! - pixels[a + 1]!) * weight;
      values[at + 2] = pixels[a + 2]! + (pixels[b + 2]! - pixels[a + 2]!) * weight;
    }
    row.y = y;
  };

  return (y) => {
    const near = rows.near[y]!;
    const far = rows.far[y]!;
    const weight = rows.farWeight[y]!;
    if (lower.y === near) [upper, lower] = [lower, upper];
    if (upper.y !== near) resizeAcross(near, upper);
    if (weight === 0) return upper.values;
    if (lower.y !== far) resizeAcross(far, lower);
    const above = upper.values;
    const below = lower.values;
    for (let i = 0; i < length; i++) blended[i] = above[i]! + (below[i]! - above[i]!) * weight;
    return blended;
  };
}
