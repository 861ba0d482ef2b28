/**
 * For a run of output pixels along one axis, starting at pixel `start`: the two inputs between which each lies
 * (`near <= far`), and the float32 weight of the far one; the near one weighs the rest.
 */
export interface AxisTaps {
  readonly start: number;
  readonly near: Int32Array;
  readonly far: Int32Array;
  readonly farWeight: Float32Array;
}

/** Taps of zeros for `length` output pixels; none where `length` is not positive. */
export function emptyTaps(start: number, length: number): AxisTaps {
  const count = Math.max(length, 0);
  return {
    start,
    near: new Int32Array(count),
    far: new Int32Array(count),
    farWeight: new Float32Array(count),
  };
}

/**
 * Output pixels `start` to `end` (exclusive) of `F.interpolate(mode="bilinear", align_corners=False)` without
 * antialiasing from `inputs` to `outputs` pixels. PyTorch works in float32; of its kernels this is the one that rounds
 * the source position once (fused multiply-add), as on one thread. Those that round twice differ from it by 3e-5 of the
 * difference of two neighbouring pixels.
 */
export function torchBilinearTaps(inputs: number, outputs: number, start = 0, end = outputs): AxisTaps {
  const taps = emptyTaps(start, end - start);
  const scale = Math.fround(inputs / outputs);
  for (let n = 0; n < taps.near.length; n++) {
    const source = Math.max(Math.fround(scale * (start + n + 0.5) - 0.5), 0);
    const near = Math.min(Math.floor(source), inputs - 1);
    taps.near[n] = near;
    taps.far[n] = Math.min(near + 1, inputs - 1);
    taps.farWeight[n] = source - near;
  }
  return taps;
}
