/**
 * Masks that a graph returns at the size of its input or of the image, instead of as a grid over the box.
 */
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { encodeMask, RunWriter } from './rle.ts';

/**
 * A soft mask [mask.height, mask.width] of which the top left `content` is the image: resized to `image` as torch's
 * `F.interpolate(mode="bilinear", align_corners=False)` and set where it exceeds `threshold`. Equal sizes are not
 * interpolated.
 */
export function encodeResizedMask(
  values: Float32Array,
  mask: ImageSize,
  content: ImageSize,
  image: ImageSize,
  threshold: number,
): EncodedMask {
  const same = content.height === image.height && content.width === image.width;
  if (same && mask.width === content.width) return encodeMask(values, image, threshold);
  const writer = new RunWriter();
  const limit = Math.fround(threshold);
  for (let x = 0; x < image.width; x++) {
    const [left, right, wRight] = tap(x, content.width, image.width);
    for (let y = 0; y < image.height; y++) {
      const [top, bottom, wBottom] = tap(y, content.height, image.height);
      const above = lerp(values[top * mask.width + left]!, values[top * mask.width + right]!, wRight);
      const below = lerp(values[bottom * mask.width + left]!, values[bottom * mask.width + right]!, wRight);
      writer.push(lerp(above, below, wBottom) > limit ? 1 : 0, 1);
    }
  }
  return writer.finish();
}

const lerp = (a: number, b: number, weight: number): number => Math.fround(a + (b - a) * weight);

function tap(output: number, inputs: number, outputs: number): [low: number, high: number, weight: number] {
  const source = Math.max(Math.fround(Math.fround(inputs / outputs) * (output + 0.5) - 0.5), 0);
  const low = Math.min(Math.floor(source), inputs - 1);
  return [low, Math.min(low + 1, inputs - 1), source - low];
}
