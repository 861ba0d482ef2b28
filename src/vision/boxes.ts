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

/** Boxes [N, 4] xyxy cut to the image: x within 0 and its width, y within 0 and its height. */
export function clipBoxes(boxesXyxy: Float32Array, { height, width }: ImageSize): Float32Array {
  return boxesXyxy.map((value, index) => Math.min(Math.max(value, 0), index % 2 === 0 ? width : height));
}
