/** Resampling of decoded images straight into the network's input, one image into one slot of a batch. */
import type { ImageSize, RgbImage } from './geometry.ts';
import {
  type BatchBuffer,
  type BatchSlot,
  fillPadding,
  isNormalised,
  type NetworkInput,
  placeRow,
  takesPlainPixels,
} from './network-input.ts';
import { type RowSource, torchBilinear } from './torch-bilinear.ts';

type Filter = (image: RgbImage, resized: ImageSize) => RowSource;

/** By the names of `model.json`: each filter equals that of the library it is named after. */
const FILTERS: Readonly<Record<string, Filter>> = { 'torch-bilinear': torchBilinear };

/** The filters that this version has; `model.json` may name others. */
export const SUPPORTED_FILTERS: readonly string[] = Object.keys(FILTERS);

/**
 * Resizes `image` into its slot of `batch` and pads it there. A Float32Array gets unrounded values, scaled as `input`
 * says; a Uint8Array gets whole grey levels, halves rounded to even. An image of the right size is passed on untouched.
 *
 * @throws RangeError for a filter that this version does not have, bytes that are to be normalised, and sizes that do
 *   not fit each other.
 */
export function resampleInto(
  batch: Uint8Array | Float32Array,
  slot: BatchSlot,
  image: RgbImage,
  input: NetworkInput,
): void {
  checkSizes(batch, slot, image);
  const { resized } = slot;
  const sameSize = image.height === resized.height && image.width === resized.width;
  const rows = sameSize ? untouched(image) : filterOf(input)(image, resized);
  const buffer = asBuffer(batch, input);
  fillPadding(buffer, slot, input);
  if (sameSize && takesPlainPixels(input)) {
    copyRows(buffer, slot, image);
    return;
  }
  for (let y = 0; y < resized.height; y++) placeRow(buffer, slot, input, y, rows(y));
}

function filterOf({ resize }: NetworkInput): Filter {
  const name = resize.filter ?? 'torch-bilinear';
  const filter = FILTERS[name];
  if (filter) return filter;
  throw new RangeError(
    `this version does not have the resize filter "${name}"; it has ${SUPPORTED_FILTERS.join(', ')}`,
  );
}

function asBuffer(batch: Uint8Array | Float32Array, input: NetworkInput): BatchBuffer {
  if (batch instanceof Float32Array) return batch;
  if (isNormalised(input)) throw new RangeError('a uint8 input takes no "scale", "mean" and "std"');
  return new Uint8ClampedArray(batch.buffer, batch.byteOffset, batch.length);
}

function untouched({ width, pixels }: RgbImage): RowSource {
  const row = new Float32Array(width * 3);
  return (y) => {
    row.set(pixels.subarray(y * row.length, (y + 1) * row.length));
    return row;
  };
}

function copyRows(
  batch: BatchBuffer,
  { index, padded }: BatchSlot,
  { height, width, pixels }: RgbImage,
): void {
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(y * width * 3, (y + 1) * width * 3);
    batch.set(row, (index * padded.height + y) * padded.width * 3);
  }
}

function checkSizes(
  batch: Uint8Array | Float32Array,
  { index, padded, resized }: BatchSlot,
  { height, width, pixels }: RgbImage,
): void {
  const slot = `${resized.height}x${resized.width} padded to ${padded.height}x${padded.width}`;
  if (pixels.length !== height * width * 3)
    throw new RangeError(`an image of ${height}x${width} has ${pixels.length} bytes`);
  if (resized.height > padded.height || resized.width > padded.width)
    throw new RangeError(`an image does not fit its slot: ${slot}`);
  if ((index + 1) * padded.height * padded.width * 3 > batch.length)
    throw new RangeError(`slot ${index}, ${slot}, exceeds the batch of ${batch.length} values`);
}
