/**
 * COCO's run-length encoding of a binary mask: runs down the columns, left to right, the first run of zeros (0 long
 * where the first pixel is set), written as printable characters of five bits. Source: pycocotools, common/maskApi.c
 * (`rleToString`, `rleFrString`).
 */
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { boundsAbove } from './mask-bounds.ts';

const FIRST_CHARACTER = 48;
const CONTINUES = 0x20;
const DATA_BITS = 5;
const DATA_MASK = 0x1f;
const SIGN_BIT = 0x10;
/** A run is below 2^31 pixels: at most seven groups of five bits. */
const MAX_CHARACTERS = 7;

const ascii = new TextDecoder('latin1');

/** Collects the set pixels of one mask, span by span in column order, and encodes them. */
export class RunWriter {
  readonly #runs: number[] = [];
  #end = 0;
  #area = 0;

  /** Sets pixels `start` to `end` (exclusive), counted down the columns; at or after the end of the span before. */
  addSpan(start: number, end: number): void {
    if (start === this.#end && this.#runs.length > 0) this.#runs[this.#runs.length - 1]! += end - start;
    else this.#runs.push(start - this.#end, end - start);
    this.#end = end;
    this.#area += end - start;
  }

  /** The mask of an image of this size; what no span has set is zero. */
  encode({ height, width }: ImageSize): EncodedMask {
    const rest = height * width - this.#end;
    const runs = rest > 0 ? [...this.#runs, rest] : this.#runs;
    return { counts: encodeRle(runs), area: this.#area };
  }
}

/** Runs to COCO's compressed string: from the fourth run on, each is the difference to the one two before. */
export function encodeRle(runs: ArrayLike<number>): string {
  const characters = new Uint8Array(runs.length * MAX_CHARACTERS);
  let length = 0;
  for (let index = 0; index < runs.length; index++) {
    let value = index > 2 ? runs[index]! - runs[index - 2]! : runs[index]!;
    for (let more = true; more;) {
      const bits = value & DATA_MASK;
      value >>= DATA_BITS;
      more = value !== (bits & SIGN_BIT ? -1 : 0);
      characters[length++] = (more ? bits | CONTINUES : bits) + FIRST_CHARACTER;
    }
  }
  return ascii.decode(characters.subarray(0, length));
}

/** COCO's compressed string to runs. @throws RangeError where `counts` is no such string. */
export function decodeRle(counts: string): Uint32Array {
  const runs = new Uint32Array(counts.length);
  let length = 0;
  for (let at = 0; at < counts.length;) {
    let value = 0;
    let bits = CONTINUES;
    for (let shift = 0; bits & CONTINUES; shift += DATA_BITS) {
      bits = counts.charCodeAt(at++) - FIRST_CHARACTER;
      if (!(bits >= 0 && bits <= (CONTINUES | DATA_MASK)) || shift >= MAX_CHARACTERS * DATA_BITS)
        throw new RangeError(`not a COCO run-length string: character ${at} of ${counts.length}`);
      value |= (bits & DATA_MASK) << shift;
      // The last group of seven brings the sign itself.
      if (bits < CONTINUES && bits & SIGN_BIT && shift + DATA_BITS < 32) value |= -1 << (shift + DATA_BITS);
    }
    if (length > 2) value += runs[length - 2]!;
    if (value < 0) throw new RangeError(`not a COCO run-length string: run ${length} is ${value} long`);
    runs[length++] = value;
  }
  return runs.slice(0, length);
}

/** A mask [H, W] given row by row: set where `values` exceeds `threshold`. */
export function encodeMask(values: ArrayLike<number>, image: ImageSize, threshold = 0.5): EncodedMask {
  const writer = new RunWriter();
  const bounds = boundsAbove(values, image.width, image, threshold);
  for (let x = bounds.left; x < bounds.right; x++) {
    for (let y = bounds.top; y < bounds.bottom; y++) {
      if (!(values[y * image.width + x]! > threshold)) continue;
      const start = y;
      while (y < bounds.bottom && values[y * image.width + x]! > threshold) y++;
      writer.addSpan(x * image.height + start, x * image.height + y);
    }
  }
  return writer.encode(image);
}
