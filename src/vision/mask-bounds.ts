import type { ImageSize } from './geometry.ts';

/** Cells of a mask, right and bottom exclusive. */
export interface CellBounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The smallest rectangle around the cells of `values` that exceed `level`; all zeros where none does. `values` holds
 * the `size` at its top left, `stride` cells a row.
 */
export function boundsAbove(
  values: ArrayLike<number>,
  stride: number,
  { height, width }: ImageSize,
  level: number,
): CellBounds {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    const row = y * stride;
    let first = 0;
    while (first < width && !(values[row + first]! > level)) first++;
    if (first === width) continue;
    let last = width - 1;
    while (!(values[row + last]! > level)) last--;
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  return bottom > 0 ? { left, top, right, bottom } : { left: 0, top: 0, right: 0, bottom: 0 };
}
