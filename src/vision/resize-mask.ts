/** Masks that a graph returns at the size of its input or of the image, instead of as a grid over the box. */
import { torchBilinearTaps } from './axis-taps.ts';
import type { EncodedMask } from './detections.ts';
import type { ImageSize } from './geometry.ts';
import { rasterize, torchLerp } from './rasterize.ts';
import { encodeMask } from './rle.ts';

/**
 * A soft mask [mask.height, mask.width] on 0..1, of which the top left `content` shows the image: resized to `image` as
 * by `F.interpolate(mode="bilinear", align_corners=False)`, and set where it exceeds `threshold`. Content of the
 * image's size is not interpolated.
 *
 * @throws RangeError where `content` is larger than the mask.
 */
export function encodeResizedMask(
  values: Float32Array,
  mask: ImageSize,
  content: ImageSize,
  image: ImageSize,
  threshold: number,
): EncodedMask {
  if (content.height > mask.height || content.width > mask.width) {
    throw new RangeError(
      `a mask of ${mask.height}x${mask.width} cannot hold ${content.height}x${content.width}`,
    );
  }
  const limit = Math.fround(threshold);
  const sameSize = content.height === image.height && content.width === image.width;
  if (sameSize && mask.width === image.width) return encodeMask(values, image, limit);
  return rasterize(
    { values, stride: mask.width, height: content.height, width: content.width },
    torchBilinearTaps(content.width, image.width),
    torchBilinearTaps(content.height, image.height),
    image,
    { threshold: limit, inclusive: false, interpolate: torchLerp },
  );
}
