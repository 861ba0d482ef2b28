import type { ImageSize } from '../../../src/vision/geometry.ts';

/** Runs to the mask [H, W], row by row, 0 and 1. @throws RangeError where the runs are not those of this size. */
export function maskFromRuns(runs: ArrayLike<number>, { height, width }: ImageSize): Uint8Array {
  const total = Array.from(runs).reduce((sum, run) => sum + run, 0);
  if (total !== height * width) throw new RangeError(`the runs fill ${total} of ${height} x ${width} pixels`);
  const mask = new Uint8Array(total);
  let pixel = 0;
  for (let index = 0; index < runs.length; index++) {
    const end = pixel + runs[index]!;
    if (index % 2 === 0) pixel = end;
    for (; pixel < end; pixel++) mask[(pixel % height) * width + Math.floor(pixel / height)] = 1;
  }
  return mask;
}
