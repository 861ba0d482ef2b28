import type { ImageSize } from './geometry.ts';

/**
 * Boxes [N, 4] xyxy from the pixels of one size of an image to those of another, in float32 as torchvision's
 * `resize_boxes` does it: one ratio an axis, each coordinate times it. Nothing is clipped.
 */
export function scaleBoxes(boxesXyxy: Float32Array, from: ImageSize, to: ImageSize): Float32Array {
  const ratioX = Math.fround(to.width / from.width);
  const ratioY = Math.fround(to.height / from.height);
  return boxesXyxy.map((value, index) => value * (index % 2 === 0 ? ratioX : ratioY));
}
