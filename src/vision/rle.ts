/**
 * COCO's run-length encoding of a binary mask: runs down the columns, left to right, the first run of zeros (0 long
 * where the first pixel is set), written six bits a character. Source: pycocotools, common/maskApi.c, `rleToString` and
 * `rleFrString`.
 */
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';

const FIRST_CHARACTER = 48;
const CONTINUES = 0x20;
const DATA_BITS = 5;
const DATA_MASK = 0x1f;
const SIGN_BIT = 0x10;

/** Collects runs as pixels come, and encodes them. Reusable: `finish` leaves it empty. */
export class RunWriter {
  #runs = new Uint32Array(1024);
  #length = 0;
  #value = 0;
  #run = 0;
  #area = 0;

  /** `count` pixels of `value`, next in column order. */
  push(value: 0 | 1, count: number): void {
    if (value !== this.#value) {
      this.#end();
      this.#value = value;
    }
    this.#run += count;
    if (value === 1) this.#area += count;
  }

  finish(): EncodedMask {
    this.#end();
    const mask = { counts: encodeRle(this.#runs.subarray(0, this.#length)), area: this.#area };
    this.#length = this.#value = this.#run = this.#area = 0;
    return mask;
  }

  #end(): void {
    if (this.#length === this.#runs.length) {
      const grown = new Uint32Array(this.#runs.length * 2);
      grown.set(this.#runs);
      this.#runs = grown;
    }
    this.#runs[this.#length++] = this.#run;
    this.#run = 0;
  }
}

/** Runs to COCO's compressed string: from the fourth run on, each is the difference to the one two before. */
export function encodeRle(runs: ArrayLike<number>): string {
  let counts = '';
  for (let index = 0; index < runs.length; index++) {
    let value = index > 2 ? runs[index]! - runs[index - 2]! : runs[index]!;
    for (let more = true; more;) {
      const bits = value & DATA_MASK;
      value >>= DATA_BITS;
      more = bits & SIGN_BIT ? value !== -1 : value !== 0;
      counts += String.fromCharCode((more ? bits | CONTINUES : bits) + FIRST_CHARACTER);
    }
  }
  return counts;
}

/** @throws RangeError where `counts` ends within a run. */
export function decodeRle(counts: string): Uint32Array {
  const runs: number[] = [];
  for (let at = 0; at < counts.length;) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      if (at >= counts.length) throw new RangeError('the run-length string ends within a run');
      const bits = counts.charCodeAt(at++) - FIRST_CHARACTER;
      value |= (bits & DATA_MASK) << shift;
      more = (bits & CONTINUES) !== 0;
      shift += DATA_BITS;
      if (!more && bits & SIGN_BIT) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
  }
  return Uint32Array.from(runs);
}

/** The mask [H, W], row by row, 0 and 1. @throws RangeError where the runs are not those of this size. */
export function decodeMask(counts: string, { height, width }: ImageSize): Uint8Array {
  const mask = new Uint8Array(height * width);
  let [pixel, value] = [0, 0];
  for (const run of decodeRle(counts)) {
    if (pixel + run > mask.length) throw new RangeError(`the runs exceed ${height}x${width} pixels`);
    if (value === 1) {
      for (let n = pixel; n < pixel + run; n++) mask[(n % height) * width + Math.floor(n / height)] = 1;
    }
    pixel += run;
    value = 1 - value;
  }
  if (pixel !== mask.length) throw new RangeError(`the runs fill ${pixel} of ${height}x${width} pixels`);
  return mask;
}

/** A mask [H, W] given row by row: set where `values` exceeds `threshold`. */
export function encodeMask(
  values: ArrayLike<number>,
  { height, width }: ImageSize,
  threshold = 0.5,
): EncodedMask {
  const writer = new RunWriter();
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) writer.push(values[y * width + x]! > threshold ? 1 : 0, 1);
  return writer.finish();
}
