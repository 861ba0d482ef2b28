/**
 * Resampling into the network's input. Each filter is named after the library that it equals.
 *
 * Shapes: B images of one batch, padded to H x W; a source image is [h, w, 3] uint8, R G B.
 */
import type { ImageSize, RgbImage } from './geometry.ts';

export interface NetworkInput {
  readonly layout: 'NHWC' | 'NCHW';
  readonly color: 'RGB' | 'BGR';
  readonly resize: { readonly policy: string; readonly filter?: string };
  readonly pad: { readonly value: readonly [number, number, number] };
  /** x -> (x * scale - mean) / std, x on 0..255; float buffers only. */
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Where an image goes: the `index`th of the batch, at the top left of its padded area. */
export interface BatchSlot {
  readonly index: number;
  readonly padded: ImageSize;
  readonly resized: ImageSize;
}

/** Rows of the resized image, one at a time: [resized width, 3] on 0..255, reused between calls. */
type RowSource = (y: number) => Float32Array;

type Filter = (image: RgbImage, resized: ImageSize) => RowSource;

const FILTERS: Readonly<Record<string, Filter>> = { 'torch-bilinear': torchBilinear };

/** The filters that this version has. */
export const SUPPORTED_FILTERS: readonly string[] = Object.keys(FILTERS);

/**
 * Resizes `image` into its slot of a batch buffer. A Uint8Array gets whole grey levels, halves upwards, and must be
 * [B, H, W, 3] without scaling; a Float32Array gets unrounded values in the input's layout, colour order and scale.
 *
 * @throws RangeError for a filter that this version does not have.
 */
export function resampleInto(
  batch: Uint8Array | Float32Array,
  slot: BatchSlot,
  image: RgbImage,
  input: NetworkInput,
): void {
  if (batch instanceof Uint8Array) fillBytes(batch, slot, image, input);
  else fillFloats(batch, slot, image, input);
}

function rowsOf(image: RgbImage, resized: ImageSize, { resize }: NetworkInput): RowSource {
  const name = resize.filter ?? 'torch-bilinear';
  const filter = FILTERS[name];
  if (!filter) throw new RangeError(`no filter "${name}"; there is ${SUPPORTED_FILTERS.join(', ')}`);
  return filter(image, resized);
}

function fillBytes(batch: Uint8Array, slot: BatchSlot, image: RgbImage, input: NetworkInput): void {
  const { index, padded, resized } = slot;
  const stride = padded.width * 3;
  const start = index * padded.height * stride;
  const rowLength = resized.width * 3;
  const swap = input.color === 'BGR';
  if (image.height === resized.height && image.width === resized.width && !swap) {
    for (let y = 0; y < resized.height; y++)
      batch.set(image.pixels.subarray(y * rowLength, (y + 1) * rowLength), start + y * stride);
    return;
  }
  const row = rowsOf(image, resized, input);
  for (let y = 0; y < resized.height; y++) {
    const values = row(y);
    const at = start + y * stride;
    if (swap) {
      for (let i = 0; i < rowLength; i += 3) {
        batch[at + i] = values[i + 2]! + 0.5;
        batch[at + i + 1] = values[i + 1]! + 0.5;
        batch[at + i + 2] = values[i]! + 0.5;
      }
    } else for (let i = 0; i < rowLength; i++) batch[at + i] = values[i]! + 0.5;
  }
}

function fillFloats(batch: Float32Array, slot: BatchSlot, image: RgbImage, input: NetworkInput): void {
  const { index, padded, resized } = slot;
  const area = padded.height * padded.width;
  const [pixelStep, channelStep] = input.layout === 'NHWC' ? [3, 1] : [1, area];
  const start = index * area * 3;
  const row = rowsOf(image, resized, input);
  for (let channel = 0; channel < 3; channel++) {
    const value = input.pad.value[channel]!;
    if (value === 0) continue;
    const from = start + channel * channelStep;
    for (let pixel = 0; pixel < area; pixel++) batch[from + pixel * pixelStep] = value;
  }
  for (let y = 0; y < resized.height; y++) {
    const values = row(y);
    for (let channel = 0; channel < 3; channel++) {
      const [mean, std] = [input.mean[channel]!, input.std[channel]!];
      const source = input.color === 'BGR' ? 2 - channel : channel;
      let at = start + y * padded.width * pixelStep + channel * channelStep;
      for (let i = source; i < resized.width * 3; i += 3, at += pixelStep)
        batch[at] = (values[i]! * input.scale - mean) / std;
    }
  }
}

/**
 * `F.interpolate(mode="bilinear", align_corners=False, antialias=False)`: what torchvision's detectors resize with.
 * Across first, then down, in float32. A source row is resized across once, however many output rows it serves.
 */
function torchBilinear(image: RgbImage, resized: ImageSize): RowSource {
  const { height, width, pixels } = image;
  const columns = taps(width, resized.width);
  const rows = taps(height, resized.height);
  const length = resized.width * 3;
  let above = { y: -1, values: new Float32Array(length) };
  let below = { y: -1, values: new Float32Array(length) };
  const result = new Float32Array(length);

  const resizeAcross = (y: number, values: Float32Array): void => {
    const start = y * width * 3;
    for (let x = 0, at = 0; x < resized.width; x++, at += 3) {
      const [a, b] = [start + columns.low[x]! * 3, start + columns.high[x]! * 3];
      const weight = columns.weight[x]!;
      for (let channel = 0; channel < 3; channel++) {
        const low = pixels[a + channel]!;
        values[at + channel] = low + (pixels[b + channel]! - low) * weight;
      }
    }
  };

  return (y) => {
    const [low, high, weight] = [rows.low[y]!, rows.high[y]!, rows.weight[y]!];
    if (below.y === low) [above, below] = [below, above];
    if (above.y !== low) resizeAcross((above.y = low), above.values);
    if (weight === 0) return above.values;
    if (below.y !== high) resizeAcross((below.y = high), below.values);
    for (let i = 0; i < length; i++)
      result[i] = above.values[i]! + (below.values[i]! - above.values[i]!) * weight;
    return result;
  };
}

/** For each output along an axis the inputs between which it lies, and the weight of the further one. */
function taps(inputs: number, outputs: number): { low: Int32Array; high: Int32Array; weight: Float32Array } {
  const [low, high] = [new Int32Array(outputs), new Int32Array(outputs)];
  const weight = new Float32Array(outputs);
  const scale = Math.fround(inputs / outputs);
  for (let n = 0; n < outputs; n++) {
    const source = Math.max(Math.fround(scale * (n + 0.5) - 0.5), 0);
    low[n] = Math.min(source, inputs - 1);
    high[n] = Math.min(low[n]! + 1, inputs - 1);
    weight[n] = source - low[n]!;
  }
  return { low, high, weight };
}
