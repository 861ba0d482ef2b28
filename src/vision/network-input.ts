/** Where the pixels of one image go in a batch, and what becomes of them on the way. */
import type { ImageSize } from './geometry.ts';

type Triple = readonly [number, number, number];

export interface NetworkInput {
  /** [B, H, W, 3] or [B, 3, H, W]. */
  readonly layout: 'NHWC' | 'NCHW';
  readonly color: 'RGB' | 'BGR';
  readonly resize: { readonly policy: string; readonly filter?: string };
  /** `value`: after scale, mean and std, in the channel order of `color`, as `mean` and `std` are. */
  readonly pad: { readonly value: Triple };
  /** x -> (x * scale - mean) / std, x on 0..255. */
  readonly scale: number;
  readonly mean: Triple;
  readonly std: Triple;
}

/** The `index`th image of the batch, at the top left of its padded area. */
export interface BatchSlot {
  readonly index: number;
  readonly padded: ImageSize;
  readonly resized: ImageSize;
}

/** The batch as it is written to: what goes into bytes is rounded to the nearest, halves to even, and clamped. */
export type BatchBuffer = Uint8ClampedArray | Float32Array;

/** Whether pixels go in as they are decoded: interleaved, R G B, on 0..255. */
export function takesPlainPixels(input: NetworkInput): boolean {
  return input.layout === 'NHWC' && input.color === 'RGB' && !isNormalised(input);
}

/** Whether pixels are scaled, shifted or divided. */
export function isNormalised({ scale, mean, std }: NetworkInput): boolean {
  return scale !== 1 || mean.some((value) => value !== 0) || std.some((value) => value !== 1);
}

/** Fills what the resized image leaves of its slot. */
export function fillPadding(batch: BatchBuffer, slot: BatchSlot, input: NetworkInput): void {
  const { padded, resized } = slot;
  for (let channel = 0; channel < 3; channel++) {
    const { start, step } = channelPlace(slot, input, channel);
    const value = input.pad.value[channel]!;
    for (let y = 0; y < padded.height; y++) {
      const row = start + y * padded.width * step;
      for (let x = y < resized.height ? resized.width : 0; x < padded.width; x++)
        batch[row + x * step] = value;
    }
  }
}

/** Puts row `y` of the resized image, [width, 3] R G B on 0..255, in its place. */
export function placeRow(
  batch: BatchBuffer,
  slot: BatchSlot,
  input: NetworkInput,
  y: number,
  rgb: Float32Array,
): void {
  const { padded, resized } = slot;
  const length = resized.width * 3;
  if (takesPlainPixels(input)) {
    const start = (slot.index * padded.height + y) * padded.width * 3;
    for (let i = 0; i < length; i++) batch[start + i] = rgb[i]!;
    return;
  }
  for (let channel = 0; channel < 3; channel++) {
    const { start, step } = channelPlace(slot, input, channel);
    const factor = input.scale / input.std[channel]!;
    const shift = input.mean[channel]! / input.std[channel]!;
    let at = start + y * padded.width * step;
    for (let i = input.color === 'RGB' ? channel : 2 - channel; i < length; i += 3, at += step)
      batch[at] = rgb[i]! * factor - shift;
  }
}

/** Index of a channel's first pixel in the batch, and the distance to its next. */
function channelPlace(
  { index, padded }: BatchSlot,
  { layout }: NetworkInput,
  channel: number,
): { start: number; step: number } {
  const area = padded.height * padded.width;
  return layout === 'NHWC'
    ? { start: index * area * 3 + channel, step: 3 }
    : { start: (index * 3 + channel) * area, step: 1 };
}
